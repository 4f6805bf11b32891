import { posix } from 'node:path';
import { CracBuildError } from '../errors.ts';
import { type ElfHeader, parseElfHeader } from './elf-header.ts';
import { parseRelease } from './inspect-jdk.ts';
import { listIn, type Resolved, type RootIndex, resolveIn } from './root-index.ts';

/** The JVM in an image's root. */
export interface ImageJvm {
  /** Without links in it: "/usr/lib/jvm/java-17-openjdk-amd64". */
  readonly home: string;
  /** "17.0.15", as its release file says. */
  readonly version: string;
  /** Feature version: 17, 21, 25. */
  readonly javaVersion: number;
  readonly vendor: string;
  /** Has lib/server/classes.jsa. Without one each cold start takes longer. */
  readonly hasClassArchive: boolean;
}

/** What of an image's environment counts here. */
export interface ImagePlace {
  /** For messages: "oci:/images/jre". */
  readonly source: string;
  readonly environment: Readonly<Record<string, string>>;
  /** The program that an app starts as its JVM: no other is looked for. */
  readonly java?: string | undefined;
}

export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** Folders in which JDKs lie beside each other. */
const JVM_FOLDERS = ['/usr/lib/jvm', '/opt/java', '/opt', '/usr/java', '/usr/local'];
/** Without these no HotSpot starts. */
const PARTS = ['lib/modules', 'lib/jvm.cfg', 'lib/libjava.so', 'lib/server/libjvm.so'];
const OLDEST_JAVA = 17;
const OTHER_BASE = 'Take a base with OpenJDK 17 or newer with HotSpot, such as Temurin, Debian’s or Corretto.';

/**
 * What the app starts, JAVA_HOME of the image's environment, the `java` in its PATH, or what lies where JDKs usually do, the newest of those.
 * INPUT_INVALID where that is none, or one of which no checkpoint can be taken.
 */
export function findJvm(root: RootIndex, place: ImagePlace): ImageJvm {
  const java = findJava(root, place);
  const refuse = (words: string, hint = OTHER_BASE): CracBuildError =>
    new CracBuildError('INPUT_INVALID', `the Java of ${place.source} cannot be used: ${words}`, { hint });
  requireLoadable(root, java, refuse);
  const home = posix.dirname(posix.dirname(java.path));
  const release = readRelease(root, home);
  if (release === undefined) {
    throw refuse(
      `${home} has no readable file \`release\``,
      'A JDK says there which one it is. Take a base that is whole.',
    );
  }
  const version = release.get('JAVA_VERSION') ?? '';
  const javaVersion = featureVersion(version);
  if (javaVersion < OLDEST_JAVA) throw refuse(`${home} is Java ${version || 'of an unknown version'}`);
  requireHotSpot(root, home, release, refuse);
  const missing = PARTS.filter((part) => resolveIn(root, `${home}/${part}`) === undefined);
  if (missing.length > 0) throw refuse(`${home} lacks ${missing.join(', ')}`, 'Take a base with a whole JRE or JDK.');
  return {
    home,
    version,
    javaVersion,
    vendor: release.get('IMPLEMENTOR') ?? 'unknown',
    hasClassArchive: resolveIn(root, `${home}/lib/server/classes.jsa`) !== undefined,
  };
}

function findJava(root: RootIndex, { source, environment, java }: ImagePlace): Resolved {
  const started = java === undefined ? undefined : resolveIn(root, java);
  if (started !== undefined && isProgram(started)) return started;
  const javaHome = environment['JAVA_HOME'];
  const inPath = (environment['PATH'] ?? DEFAULT_PATH).split(':').map((folder) => `${folder}/java`);
  const places = [...(javaHome === undefined ? [] : [`${javaHome}/bin/java`]), ...inPath];
  for (const place of places) {
    const found = resolveIn(root, place);
    if (found !== undefined && isProgram(found)) return found;
  }
  const homes = [
    ...JVM_FOLDERS.flatMap((folder) => listIn(root, folder).map((name) => `${folder}/${name}`)),
    // Buildpacks: each has layers of its own, and the launcher sets JAVA_HOME.
    ...listIn(root, '/layers').flatMap((name) => [`/layers/${name}/jre`, `/layers/${name}/jdk`]),
  ];
  const installed = homes.flatMap((home) => {
    const found = resolveIn(root, `${home}/bin/java`);
    if (found === undefined || !isProgram(found)) return [];
    const release = readRelease(root, posix.dirname(posix.dirname(found.path)));
    return [{ found, age: featureVersion(release?.get('JAVA_VERSION') ?? '') }];
  });
  const [newest] = installed.sort((a, b) => b.age - a.age);
  if (newest !== undefined) return newest.found;
  throw new CracBuildError('INPUT_INVALID', `there is no Java in ${source}`, {
    hint: 'It is looked for with JAVA_HOME and PATH of the image, in /usr/lib/jvm and in /opt. Take a base that has one, or base: jdk:PATH, which makes one.',
    details: [`looked at: ${places.join(', ')}`],
  });
}

/** A JDK's own, and not a script that looks for one. */
function isProgram({ entry }: Resolved): boolean {
  return entry.type === 'file' && entry.content !== undefined && parseElfHeader(entry.content) !== undefined;
}

function requireLoadable(
  root: RootIndex,
  java: Resolved,
  refuse: (words: string, hint?: string) => CracBuildError,
): void {
  const { bits, machine, interpreter }: ElfHeader = parseElfHeader(java.entry.content ?? Buffer.alloc(0)) ?? {
    bits: 64,
    machine: 'unknown',
  };
  if (bits !== 64) throw refuse(`${java.path} is a ${bits}-bit program`, 'Take a base for linux/amd64.');
  if (machine !== 'x86-64') {
    throw refuse(`${java.path} is for ${machine}, and not for x86-64`, 'Take a base for linux/amd64.');
  }
  if (interpreter === undefined) return;
  if (interpreter.includes('ld-musl')) {
    throw refuse(
      `${java.path} is made for musl (${interpreter}), which is not supported yet`,
      'Take a base with glibc: Debian, Ubuntu, Fedora, Amazon Linux and the like, not Alpine.',
    );
  }
  if (resolveIn(root, interpreter) === undefined) {
    throw refuse(`${java.path} needs the loader ${interpreter}, which is not there`, 'Take a base that is whole.');
  }
}

function requireHotSpot(
  root: RootIndex,
  home: string,
  release: ReadonlyMap<string, string>,
  refuse: (words: string, hint?: string) => CracBuildError,
): void {
  const variant = release.get('JVM_VARIANT') ?? '';
  const has = (path: string): boolean => resolveIn(root, `${home}/${path}`) !== undefined;
  const isOpenJ9 = /openj9/i.test(variant) || listIn(root, `${home}/lib/default`).some((name) => /libj9vm/.test(name));
  if (isOpenJ9 || has('lib/j9vm/libjvm.so')) throw refuse(`${home} is OpenJ9, and not HotSpot`);
  if (variant !== '' && variant.toLowerCase() !== 'hotspot') throw refuse(`${home} is ${variant}, and not HotSpot`);
  if (has('lib/server/libjvm.so')) return;
  const others = ['zero', 'minimal', 'client'].filter((name) => has(`lib/${name}/libjvm.so`));
  if (others.length > 0) throw refuse(`${home} has only HotSpot’s ${others.join(' and ')} VM, not its server VM`);
}

function readRelease(root: RootIndex, home: string): ReadonlyMap<string, string> | undefined {
  const content = resolveIn(root, `${home}/release`)?.entry.content;
  return content === undefined ? undefined : parseRelease(content.toString());
}

/** "17.0.15" → 17, "1.8.0_402" → 8; 0 for what is none. */
function featureVersion(version: string): number {
  return Number(/^(?:1\.)?(\d+)/.exec(version)?.[1] ?? 0);
}
