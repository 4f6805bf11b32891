import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CracBuildError, isCracBuildError } from '../errors.ts';
import { inspectJar, type JarFacts } from './inspect-jar.ts';

/** Where Maven, Gradle and Quarkus put what they build, below a project's folder or a module's. */
const BUILD_FOLDERS = ['target', 'build/libs', 'target/quarkus-app', 'build/quarkus-app', 'quarkus-app'];
/** Companions of an app's jar that nobody starts. */
const NO_APP = /-(?:sources|javadoc|tests|test-sources|plain)\.jar$|^original-/;

/** The one executable jar of a project; `path` is the project's folder or the jar itself. */
export async function findJar(path: string): Promise<JarFacts> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new CracBuildError('INPUT_NOT_FOUND', `there is no ${path}`, {
      hint: 'Name the project’s folder or its jar: `crac-build init target/app.jar`.',
      cause,
    });
  });
  if (found.isFile()) return await inspectJar(path);
  const candidates = await listJars(path);
  const executable: JarFacts[] = [];
  const others: string[] = [];
  for (const jar of candidates) {
    try {
      executable.push(await inspectJar(jar));
    } catch (error) {
      if (!isCracBuildError(error)) throw error;
      others.push(error.message);
    }
  }
  const [only, ...further] = executable;
  if (only === undefined) throw noJar(path, others, await listFiles(path, /\.war$/));
  if (further.length === 0) return only;
  throw new CracBuildError('INPUT_INVALID', `${path} has ${executable.length} executable jars`, {
    hint: `Say which: \`crac-build init ${only.path}\`.`,
    details: executable.map((jar) => jar.path),
  });
}

/** Of the folder itself and, where it has none, of the modules in it; sorted. */
async function listJars(folder: string): Promise<readonly string[]> {
  const own = await listBuilt(folder);
  if (own.length > 0) return own;
  const modules = (await readdir(folder, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules')
    .map((entry) => join(folder, entry.name))
    .sort();
  return (await Promise.all(modules.map(listBuilt))).flat();
}

async function listBuilt(folder: string): Promise<readonly string[]> {
  return (await listFiles(folder, /\.jar$/)).filter((path) => !NO_APP.test(basename(path)));
}

/** Of that name, in the folder and where build tools put things in it. */
async function listFiles(folder: string, name: RegExp): Promise<readonly string[]> {
  const found = await Promise.all(['', ...BUILD_FOLDERS].map((part) => listFolder(join(folder, part))));
  return found.flat().filter((path) => name.test(path));
}

async function listFolder(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  });
  return names.sort().map((name) => join(folder, name));
}

function noJar(path: string, others: readonly string[], [war]: readonly string[]): CracBuildError {
  const places = ['*.jar', ...BUILD_FOLDERS.map((folder) => `${folder}/*.jar`)].join(', ');
  return new CracBuildError('INPUT_NOT_FOUND', `${path} has no executable jar`, {
    hint:
      war === undefined
        ? 'Build the app first (`mvn package`, `gradle build`), or name its jar: `crac-build init path/to/app.jar`.'
        : `A WAR needs a server: \`crac-build init --dockerfile ${war}\` writes a Dockerfile with one.`,
    details: [...others, `looked for: ${places}, here and in the folders of modules`],
  });
}
