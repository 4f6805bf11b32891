import { readdir, stat } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { CracBuildError } from '../errors.ts';
import type { AppPart } from './app-source.ts';

/** `$APP_HOME` or `${APP_HOME}` in a start script's option, and the path behind it. */
const REFERENCE = /\$(?:APP_HOME\b|\{APP_HOME\})((?:\/[^/\s:;,="']*)*)/g;
/** They hold what the class path and the script itself bring, and are not taken whole. */
const OWN_FOLDERS = ['bin', 'lib'];

export function replaceAppHome(option: string, home: string): string {
  return option.replaceAll(REFERENCE, (_, path: string) => `${home}${path}`);
}

/**
 * What else of an installation the options need: the folders at its top that they name; all of them for `$APP_HOME` alone. What
 * is not there is left to the app, which may write it. `placed`: what is in the image already.
 */
export async function findHomeParts(
  folder: string,
  options: readonly string[],
  placed: readonly AppPart[],
): Promise<readonly AppPart[]> {
  const named = options.flatMap((option) => [...option.matchAll(REFERENCE)].map(([, path = '']) => ({ option, path })));
  const wanted = new Set<string>();
  for (const { option, path } of named) {
    for (const name of await listNamed(folder, parsePath(path, option))) wanted.add(name);
  }
  const parts: AppPart[] = [];
  for (const to of [...wanted].sort()) {
    const from = join(folder, to);
    const found = await stat(from).catch(() => undefined);
    const other = placed.find((part) => part.to === to);
    if (found === undefined || other?.from === from) continue;
    if (other !== undefined) throw refuse(`${from} and ${other.from} would both be /app/${to}`);
    parts.push({ kind: found.isDirectory() ? 'folder' : 'file', from, to });
  }
  return parts;
}

/** "/conf/../agent/a.jar" → "agent/a.jar", "" for the installation itself. */
function parsePath(path: string, option: string): string {
  const inside = posix.normalize(`.${path}`).replace(/^\.$|\/$/g, '');
  if (inside === '..' || inside.startsWith('../')) throw refuse(`${option} leads out of the installation`);
  return inside;
}

async function listNamed(folder: string, path: string): Promise<readonly string[]> {
  if (path === '') return (await readdir(folder)).filter((name) => !OWN_FOLDERS.includes(name));
  const [top = ''] = path.split('/');
  if (!OWN_FOLDERS.includes(top)) return [top];
  if (path !== top) return [path];
  return (await readdir(join(folder, top)).catch(() => [])).map((name) => `${top}/${name}`);
}

function refuse(words: string): CracBuildError {
  return new CracBuildError('INPUT_INVALID', `the start script’s DEFAULT_JVM_OPTS cannot be taken over: ${words}`, {
    hint: 'Change applicationDefaultJvmArgs, or give the class path itself: --class-path, --main-class and --java-option.',
  });
}
