import { posix } from 'node:path';
import type { MappedFile } from './mapped-files.ts';

/** In the image. */
const CARRIED_FOLDER = '/opt/crac/files';
/** Folders that production mounts something else over, such as an empty tmpfs: what the image has there is not seen. */
const TEMPORARY = /^\/(?:tmp|var\/tmp|run|dev\/shm)\//;

/** A mapped file that the image has at a place of ours, too: from there the restored process maps it. */
export interface CarriedFile extends Pick<MappedFile, 'sizeBytes' | 'mtimeSeconds' | 'localPath'> {
  /** Absolute, in the image. */
  readonly imagePath: string;
}

/** Libraries that others have unpacked into a temporary folder and loaded from there, as Netty, Conscrypt and JNA do. */
export function carryTemporaryFiles(files: readonly MappedFile[]): ReadonlyMap<MappedFile, CarriedFile> {
  const temporary = files.filter(({ path }) => TEMPORARY.test(path));
  return new Map(temporary.map((file) => [file, { ...facts(file), imagePath: placeOf(file) }]));
}

function facts({ sizeBytes, mtimeSeconds, localPath }: MappedFile): Omit<CarriedFile, 'imagePath'> {
  return { sizeBytes, mtimeSeconds, localPath };
}

/** Named by its content: two of one name do not meet. */
function placeOf({ path, sha256 }: MappedFile): string {
  return `${CARRIED_FOLDER}/${sha256.toString('hex').slice(0, 16)}/${posix.basename(path)}`;
}
