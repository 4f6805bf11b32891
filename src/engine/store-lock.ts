import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { explainNoSpace } from '../oci/space.ts';
import { composeOwner, isOwnerGone } from './owner.ts';
import { throwIfInterrupted } from './run-command.ts';

const POLL_INTERVAL_MS = 20;
/** Of an owner on another machine nobody here can tell whether it lives; what is done under a lock takes seconds at most. */
const ABANDONED_AFTER_MS = 600_000;

/**
 * Does `act` while no other build has the lock of `folder`. FOLDER/lock names its owner and comes by link(2), which only one can
 * win; a lock whose owner has ended is taken away.
 */
export async function withStoreLock<T>(folder: string, signal: AbortSignal, act: () => Promise<T>): Promise<T> {
  const lock = join(folder, 'lock');
  const own = join(folder, `.lock-${randomUUID()}`);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(own, composeOwner());
    while (!(await tryLink(own, lock))) {
      throwIfInterrupted(signal);
      if (!(await removeAbandoned(lock))) await sleep(POLL_INTERVAL_MS);
    }
  } catch (error) {
    await rm(own, { force: true });
    throw explainNoSpace(error, `locking ${folder}`);
  }
  try {
    return await act();
  } finally {
    await rm(lock, { force: true });
    await rm(own, { force: true });
  }
}

async function tryLink(own: string, lock: string): Promise<boolean> {
  try {
    // The lock is as old as this file: one that was waited for must not look abandoned.
    const now = new Date();
    await utimes(own, now, now);
    await link(own, lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function removeAbandoned(lock: string): Promise<boolean> {
  if (!(await isAbandoned(lock))) return false;
  const away = `${lock}-${randomUUID()}`;
  try {
    await rename(lock, away);
  } catch {
    return true; // another was faster
  }
  try {
    // Another may have replaced the lock between the look and the rename: theirs goes back.
    if (!(await isAbandoned(away))) await link(away, lock).catch(() => undefined);
  } finally {
    await rm(away, { force: true });
  }
  return true;
}

async function isAbandoned(lock: string): Promise<boolean> {
  try {
    const owner = await readFile(lock, 'utf8');
    return isOwnerGone(owner) || Date.now() - (await stat(lock)).mtimeMs > ABANDONED_AFTER_MS;
  } catch {
    return false; // gone by now
  }
}
