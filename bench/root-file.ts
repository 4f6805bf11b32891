import { stat } from 'node:fs/promises';
import type { RootFile } from '../src/criu/checkpoint.ts';

/** For what was dumped on this machine, outside a container. */
export async function rootFile(path: string): Promise<RootFile | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found && { sizeBytes: found.size, mtimeSeconds: found.mtimeMs / 1000, localPath: path };
}
