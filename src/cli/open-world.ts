import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

/** Kept between runs, safe to delete. */
export function cacheFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'crac-build');
}

/** dist/native beside dist/crac-build.js; CRAC_BUILD_NATIVE where the program runs from somewhere else. */
export function nativeFolder(): string {
  const named = process.env['CRAC_BUILD_NATIVE'];
  if (named) return named;
  const beside = join(import.meta.dirname, 'native');
  if (existsSync(beside)) return beside;
  throw new Error(`there is no ${beside}: this crac-build was not built whole (npm run build)`);
}

/** A private folder, removed with all it holds when disposed. */
export async function openWorkFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(await realpath(tmpdir()), 'crac-build-'));
  return {
    path,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 3 }),
  };
}

export async function makeFolder(path: string): Promise<string> {
  await mkdir(path, { recursive: true });
  return path;
}
