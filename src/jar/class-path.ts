import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { CracBuildError } from '../errors.ts';
import { type AppPart, type AppSource, composeLayers, isSnapshot } from './app-source.ts';
import { exists } from './listing.ts';
import { findMainClasses } from './main-classes.ts';
import { readZip } from './read-zip.ts';

/** A class path as java's -cp has it, its entries apart: jars, folders, and `folder/*` for all jars in one. */
export async function inspectClassPath(
  classPath: readonly string[],
  mainClass: string | undefined,
  about: { readonly title?: string; readonly path?: string; readonly javaOptions?: readonly string[] } = {},
): Promise<AppSource> {
  if (mainClass === undefined) {
    throw new CracBuildError('USAGE', 'a class path needs the class to start', {
      hint: 'Name it: --main-class com.example.Main (app.mainClass).',
    });
  }
  const paths = await expand(classPath);
  const places = placeEntries(paths);
  const home = await findHome(mainClass, paths);
  const isOwn = ({ from, kind }: AppPart) => kind === 'folder' || from === home || isSnapshot(from);
  return {
    title: about.title ?? 'a class path',
    path: about.path ?? paths[0]?.path ?? '',
    name: nameOfClass(mainClass),
    start: { kind: 'class', classPath: places.map(({ to }) => to), mainClass },
    layers: composeLayers([
      { name: 'dependencies', kind: 'dependencies', parts: places.filter((part) => !isOwn(part)) },
      { name: 'application', kind: 'app', parts: places.filter(isOwn) },
    ]),
    analysed: { paths: paths.map(({ path }) => path), nested: false },
    ...(about.javaOptions === undefined ? {} : { javaOptions: about.javaOptions }),
  };
}

/** "com.example.orders.Main" → "orders": a name such as Main says nothing. */
export function nameOfClass(mainClass: string): string {
  const [simple = 'app', folder] = mainClass.split('.').toReversed();
  return /^(?:Main|App|Application|Server|Launcher)$/i.test(simple) && folder !== undefined ? folder : simple;
}

interface ClassPathEntry {
  readonly path: string;
  readonly isFolder: boolean;
}

/** In the given order; what `*` stands for is sorted, which java leaves open. */
async function expand(classPath: readonly string[]): Promise<readonly ClassPathEntry[]> {
  const entries: ClassPathEntry[] = [];
  for (const word of classPath) {
    if (word === '*' || word.endsWith('/*')) {
      const folder = resolve(word.slice(0, -1) || '.');
      const names = await readdir(folder).catch((cause: unknown) => refuseMissing(folder, cause));
      const jars = names.filter((name) => /\.jar$/i.test(name)).sort();
      if (jars.length === 0) {
        throw new CracBuildError('INPUT_INVALID', `there is no jar in ${folder}`, {
          hint: 'Correct --class-path (app.classPath); `*` stands for the jars of a folder, and for nothing else.',
        });
      }
      entries.push(...jars.map((name) => ({ path: join(folder, name), isFolder: false })));
    } else {
      const path = resolve(word);
      const found = await stat(path).catch((cause: unknown) => refuseMissing(path, cause));
      entries.push({ path, isFolder: found.isDirectory() });
    }
  }
  const seen = new Set<string>();
  return entries.filter(({ path }) => !seen.has(path) && seen.add(path));
}

function refuseMissing(path: string, cause: unknown): never {
  throw new CracBuildError('INPUT_NOT_FOUND', `there is no ${path} for the class path`, {
    hint: 'Build the app first, or correct --class-path (app.classPath).',
    cause,
  });
}

/** Jars go to lib/, folders to classes/, each under a name of its own. */
function placeEntries(entries: readonly ClassPathEntry[]): readonly AppPart[] {
  const taken = new Set<string>();
  return entries.map(({ path, isFolder }) => {
    const { stem, ending } = isFolder
      ? { stem: 'classes', ending: '' }
      : { stem: `lib/${basename(path).replace(/\.jar$/i, '')}`, ending: '.jar' };
    let to = `${stem}${ending}`;
    for (let index = 2; taken.has(to); index++) to = `${stem}-${index}${ending}`;
    taken.add(to);
    return { kind: isFolder ? 'folder' : 'file', from: path, to };
  });
}

/** The entry that has the class; the app cannot start without it. */
async function findHome(mainClass: string, entries: readonly ClassPathEntry[]): Promise<string> {
  const file = `${mainClass.replaceAll('.', '/')}.class`;
  for (const { path, isFolder } of entries) {
    if (isFolder ? await exists(join(path, file)) : await hasEntry(path, file)) return path;
  }
  const folders = entries.filter(({ isFolder }) => isFolder).map(({ path }) => path);
  const candidates = (await Promise.all(folders.map(findMainClasses))).flat();
  throw new CracBuildError('INPUT_INVALID', `the class ${mainClass} is nowhere on the class path`, {
    hint: 'Correct --main-class (app.mainClass) or --class-path (app.classPath).',
    details: candidates.length === 0 ? [] : [`classes with a main method: ${candidates.join(', ')}`],
  });
}

async function hasEntry(jar: string, file: string): Promise<boolean> {
  try {
    for await (const { name } of readZip(jar)) if (name === file) return true;
    return false;
  } catch (cause) {
    throw new CracBuildError('INPUT_INVALID', `${basename(jar)} in ${dirname(jar)} is not a readable jar`, {
      hint: 'Build it again, or take it from the class path.',
      cause,
    });
  }
}
