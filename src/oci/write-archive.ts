import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { CracBuildError } from '../errors.ts';
import { openDockerArchive } from './docker-archive.ts';
import type { OciImage } from './image.ts';
import { explainNoSpace } from './space.ts';

/** Beside its place until `keep()` renames it; removed when disposed before. */
export interface StagedArchive extends AsyncDisposable {
  keep(): Promise<void>;
}

/** Writes what `docker load` reads beside `file`, which is replaced by `keep()`. PUBLISH_FAILED where it may not be replaced. */
export async function stageArchive(
  image: OciImage,
  file: string,
  reference: string | undefined,
  signal?: AbortSignal,
): Promise<StagedArchive> {
  const target = resolve(file);
  const partial = join(dirname(target), `.${basename(target)}.partial-${randomUUID()}`);
  const remove = () => rm(partial, { force: true });
  try {
    await checkArchiveTarget(target);
    await mkdir(dirname(target), { recursive: true });
    const archive = openDockerArchive(image, reference);
    await pipeline(
      archive,
      createWriteStream(partial, { highWaterMark: 1 << 20 }),
      signal === undefined ? {} : { signal },
    );
  } catch (error) {
    await remove();
    throw explainNoSpace(error, `writing the image to ${target}`);
  }
  return { keep: () => rename(partial, target), [Symbol.asyncDispose]: remove };
}

/** Rejects for what must not be replaced: a folder, and a file that is no archive. */
export async function checkArchiveTarget(file: string): Promise<void> {
  const target = resolve(file);
  const found = await stat(target).catch(() => undefined);
  if (found === undefined || (found.isFile() && (found.size === 0 || (await isTar(target))))) return;
  throw new CracBuildError(
    'PUBLISH_FAILED',
    `${target} exists and is ${found.isDirectory() ? 'a folder' : 'no archive'}`,
    {
      hint: 'Choose another file for the output, or remove what is there.',
    },
  );
}

/** By the magic of a tar's first header: https://www.gnu.org/software/tar/manual/html_node/Standard.html */
async function isTar(path: string): Promise<boolean> {
  await using file = await open(path);
  const magic = Buffer.alloc(5);
  await file.read(magic, 0, magic.length, 257);
  return magic.toString('latin1') === 'ustar';
}
