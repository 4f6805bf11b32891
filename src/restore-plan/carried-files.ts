import { posix } from 'node:path';
import type { MappedFile } from './mapped-files.ts';

/** In the image. */
const CARRIED_FOLDER = '/opt/crac/files';
/** Their time, there and in the plan: no layer's clamp changes it. */
export const CARRIED_MTIME_SECONDS = 0;
/**
 * Folders that production mounts something else over, such as an empty tmpfs: what the image has there is not seen. Ours is among
 * them: what a restored process has mapped from there is carried again.
 */
const TEMPORARY = /^\/(?:tmp|var\/tmp|run|dev\/shm|opt\/crac\/files)\//;

/** A mapped file that the image has at a place of ours, too: from there the restored process maps it. */
export interface CarriedFile extends Pick<MappedFile, 'sizeBytes' | 'localPath'> {
  /** Absolute, in the image. */
  readonly imagePath: string;
}

/**
 * Libraries that others have unpacked into a temporary folder and loaded from there, as Netty, Conscrypt and JNA do. What is mapped
 * as data stays where it is: its owner may want to find it at its path again. `code`: paths of what is mapped to be run.
 */
export function carryTemporaryFiles(
  files: readonly MappedFile[],
  code: readonly string[],
): ReadonlyMap<MappedFile, CarriedFile> {
  const libraries = files.filter(({ path }) => TEMPORARY.test(path) && code.includes(path));
  return new Map(
    libraries.map((file) => {
      const { sizeBytes, localPath } = file;
      return [file, { sizeBytes, localPath, imagePath: placeOf(file) }];
    }),
  );
}

/** Named by its content: two of one name do not meet. */
function placeOf({ path, sha256 }: MappedFile): string {
  return `${CARRIED_FOLDER}/${sha256.toString('hex').slice(0, 16)}/${posix.basename(path)}`;
}
