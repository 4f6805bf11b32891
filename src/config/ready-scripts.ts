import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** "openapi": one that comes with crac-build. A file has an ending, or a folder before its name. */
export function isReadyName(script: string): boolean {
  return /^[\w-]+$/.test(script);
}

/** Absolute paths by name. They lie beside dist/crac-build.js, or where its source does. */
export async function listReadyScripts(): Promise<ReadonlyMap<string, string>> {
  const built = join(import.meta.dirname, 'warmup-scripts');
  const folder = existsSync(built) ? built : join(import.meta.dirname, '../../warmup-scripts');
  const files = (await readdir(folder)).filter((file) => file.endsWith('.ts')).sort();
  return new Map(files.map((file) => [file.slice(0, -'.ts'.length), join(folder, file)]));
}
