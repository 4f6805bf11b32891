import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { CracBuildError } from '../errors.ts';
import { parseManifest } from './manifest.ts';
import { readZip, readZipEntry } from './read-zip.ts';

/** What a build needs to know about an executable jar. */
export interface JarFacts {
  /** Absolute. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly mainClass: string;
  /** Its manifest's Implementation-Version. */
  readonly version?: string;
  /** `nested`: a Spring-Boot-like jar that holds its libraries as jars under BOOT-INF/lib. */
  readonly layout: 'plain' | 'nested';
  /** Files and folders beside the jar that it needs, relative to the jar's folder: its manifest's Class-Path, and Quarkus' parts. */
  readonly classPath: readonly string[];
}

const MANIFEST = 'META-INF/MANIFEST.MF';

/** Rejects with INPUT_NOT_FOUND or INPUT_INVALID where `java -jar` could not start the file. */
export async function inspectJar(path: string): Promise<JarFacts> {
  const absolute = resolve(path);
  const { sizeBytes } = await readSize(absolute);
  const { manifest, nested } = await readJar(absolute);
  if (manifest === undefined) {
    throw new CracBuildError('INPUT_INVALID', `${absolute} is a zip but has no ${MANIFEST}`, {
      hint: 'Give an executable jar, one that `java -jar` starts.',
    });
  }
  const attributes = parseManifest(manifest);
  const mainClass = attributes.get('main-class')?.trim();
  const version = attributes.get('implementation-version')?.trim();
  if (mainClass === undefined || mainClass === '') {
    throw new CracBuildError('INPUT_INVALID', `the manifest of ${absolute} names no Main-Class`, {
      hint: 'Give an executable jar: the one your build tool makes to be started with `java -jar`, not the library jar beside it.',
    });
  }
  return {
    path: absolute,
    sizeBytes,
    mainClass,
    ...(version ? { version } : {}),
    layout: nested ? 'nested' : 'plain',
    classPath: [
      ...new Set([
        ...parseClassPath(absolute, attributes.get('class-path') ?? ''),
        ...(await listQuarkusParts(absolute, mainClass)),
      ]),
    ],
  };
}

async function readSize(path: string): Promise<{ sizeBytes: number }> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new CracBuildError('INPUT_NOT_FOUND', `there is no jar at ${path}`, {
      hint: 'Build the app first, or correct app.jar.',
      cause,
    });
  });
  if (!found.isFile()) {
    throw new CracBuildError('INPUT_INVALID', `${path} is not a file`, { hint: 'Give the path of an executable jar.' });
  }
  return { sizeBytes: found.size };
}

async function readJar(path: string): Promise<{ manifest: string | undefined; nested: boolean }> {
  let manifest: string | undefined;
  let nested = false;
  try {
    for await (const entry of readZip(path)) {
      if (entry.name.toUpperCase() === MANIFEST) manifest = (await readZipEntry(entry)).toString('utf8');
      nested ||= /^BOOT-INF\/lib\/[^/]+\.jar$/.test(entry.name);
    }
  } catch (cause) {
    throw new CracBuildError('INPUT_INVALID', `${path} is not a readable jar: ${(cause as Error).message}`, {
      hint: 'Give an executable jar; build it again if it was cut off.',
      cause,
    });
  }
  return { manifest, nested };
}

/** Class-Path holds URLs relative to the jar, separated by spaces; what lies elsewhere than beside the jar is left out. */
function parseClassPath(jar: string, classPath: string): readonly string[] {
  const folder = dirname(jar);
  const base = pathToFileURL(`${folder}/`).href;
  return classPath
    .split(/\s+/)
    .filter((url) => url !== '')
    .flatMap((url) => {
      if (!URL.canParse(url, base)) return [];
      const target = new URL(url, base);
      if (target.protocol !== 'file:' || isAbsolute(url)) return [];
      const path = fileURLToPath(target);
      return path.startsWith(`${folder}/`) ? [path.slice(folder.length + 1)] : [];
    });
}

/** quarkus-run.jar names only what begins to load; the rest it finds by quarkus/quarkus-application.dat, relative to itself. */
export const QUARKUS_RUNNER = 'io.quarkus.bootstrap.runner.QuarkusEntryPoint';

async function listQuarkusParts(jar: string, mainClass: string): Promise<readonly string[]> {
  if (mainClass !== QUARKUS_RUNNER) return [];
  const folder = dirname(jar);
  const parts: Dirent[] = [];
  for (const part of ['app', 'lib', 'quarkus']) {
    const entries = readdir(join(folder, part), { recursive: true, withFileTypes: true });
    parts.push(
      ...(await entries.catch((cause: unknown) => {
        throw new CracBuildError('INPUT_INVALID', `${jar} needs the folder ${part} beside it, which cannot be read`, {
          hint: 'Give quarkus-run.jar where the build made it, in quarkus-app with all that is there.',
          cause,
        });
      })),
    );
  }
  return parts
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}
