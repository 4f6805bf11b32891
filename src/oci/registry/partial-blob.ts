import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { locateBlob } from '../blob-store.ts';

/**
 * What has come of a blob so far.
 *
 *     sha256/.partial-UUID   belongs to the run that writes it
 *     sha256/.resume-HEX     belongs to nobody: who wants to go on takes it by renaming it, which only one can
 *
 * Nothing is believed of either: who goes on reads it all, for the digest.
 */
export interface Partial {
  readonly path: string;
}

/** After that nobody writes to it any more: its run was killed. */
const ABANDONED_MS = 24 * 3600 * 1000;

export async function takePartial(blobDir: string, digest: string): Promise<Partial> {
  const folder = join(blobDir, 'sha256');
  await mkdir(folder, { recursive: true });
  const path = join(folder, `.partial-${randomUUID()}`);
  const isTaken = await rename(restingPlace(blobDir, digest), path).then(
    () => true,
    () => false,
  );
  if (!isTaken) await (await open(path, 'wx')).close();
  // It may have rested for long: whoever removes what nobody has written to must leave it alone now.
  const now = new Date();
  await utimes(path, now, now);
  return { path };
}

/** For the next run. Where another has put its own there meanwhile, the later one stays. */
export async function keepPartial({ path }: Partial, blobDir: string, digest: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || found.size === 0) await rm(path, { force: true });
  else await rename(path, restingPlace(blobDir, digest));
}

export async function dropPartial({ path }: Partial): Promise<void> {
  await rm(path, { force: true });
}

export async function finishPartial({ path }: Partial, blobDir: string, digest: string): Promise<void> {
  await rename(path, locateBlob(blobDir, digest));
}

/** What killed runs have left behind, and what nobody has gone on with. */
export async function removeAbandonedPartials(blobDir: string, nowMs: number): Promise<void> {
  const folder = join(blobDir, 'sha256');
  for (const name of await readdir(folder).catch(() => [])) {
    if (!/^\.(partial|resume)-/.test(name)) continue;
    const found = await stat(join(folder, name)).catch(() => undefined);
    if (found !== undefined && nowMs - found.mtimeMs > ABANDONED_MS) await rm(join(folder, name), { force: true });
  }
}

function restingPlace(blobDir: string, digest: string): string {
  return join(blobDir, 'sha256', `.resume-${digest.slice('sha256:'.length)}`);
}
