import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Checkpoint } from '../criu/checkpoint.ts';
import type { Dump } from '../criu/read-dump.ts';
import { isFileArea, VMA_STATUS } from './areas.ts';
import type { Blob } from './blob.ts';
import type { PlanRecord } from './format.ts';
import type { Refuse } from './refusals.ts';
import { isOpenForReading, MADE_BY_ENGINE } from './regular-files.ts';
import { groupActions } from './resource-actions.ts';

/** A file of which the process has memory mapped, or that it reads: it must be in the image, unchanged. */
export interface MappedFile {
  readonly id: number;
  readonly path: string;
  readonly sizeBytes: number;
  readonly mtimeSeconds: number;
  readonly sha256: Buffer;
  readonly localPath: string;
}

const PROT_EXEC = 4;
const TYPE_MASK = 0o170000;
const REGULAR = 0o100000;
const TOOLBOX = '/opt/crac-build/';

/** Of those that are mapped to be run. */
export function pathsOfCode({ mm }: Dump, files: readonly MappedFile[]): readonly string[] {
  const ids = new Set(mm.vmas.filter(({ prot }) => (prot & PROT_EXEC) !== 0).map(({ fileId }) => fileId));
  return [...new Set(files.filter(({ id }) => ids.has(id)).map(({ path }) => path))];
}

export async function inspectMappedFiles(
  dump: Dump,
  rootFile: Checkpoint['rootFile'],
  refuse: Refuse,
): Promise<readonly MappedFile[]> {
  const ids = new Set(
    dump.mm.vmas
      .filter((vma) => isFileArea(vma) && (vma.status & VMA_STATUS.memfd) === 0) // those are refused as areas
      .map(({ fileId }) => fileId),
  );
  const known = new Map<string, Omit<MappedFile, 'id'>>();
  const files: MappedFile[] = [];
  for (const id of ids) {
    const entry = dump.files.get(id)?.regular;
    if (entry === undefined) {
      refuse(`mapped file ${id}`, 'it is not a regular file', 'Do not map devices or memory files into the process');
      continue;
    }
    const { path } = entry;
    const object = `mapped file ${path}`;
    if ((entry.mode & TYPE_MASK) !== REGULAR) {
      refuse(object, 'it is a device', 'Map anonymous memory in place of /dev/zero, and no other device');
      continue;
    }
    const inspected = known.get(path) ?? (await inspect(path));
    if (path.startsWith(TOOLBOX))
      refuse(object, 'it belongs to the build tools and will not be in the image', 'Do not load libraries from there');
    else if (dump.deletedFiles.has(id))
      refuse(object, 'it was deleted or replaced', 'Do not delete or replace files that the app has mapped');
    else if (inspected === undefined)
      refuse(object, 'it does not exist in the image', 'Do not delete or replace files that the app has mapped');
    else if (inspected.sizeBytes !== entry.sizeBytes)
      refuse(
        object,
        `it had ${entry.sizeBytes} bytes when it was mapped and has ${inspected.sizeBytes} now`,
        'Do not change files that the app has mapped',
      );
    else {
      known.set(path, inspected);
      files.push({ id, ...inspected });
    }
  }
  return files;

  async function inspect(path: string): Promise<Omit<MappedFile, 'id'> | undefined> {
    const found = await rootFile(path);
    return found === undefined ? undefined : { path, ...found, sha256: await hashFile(found.localPath) };
  }
}

/** Files that the process holds open to read, such as its jars: what it knows of them must stay true, too. */
export async function inspectOpenFiles(
  dump: Dump,
  { rootFile, ready }: Pick<Checkpoint, 'rootFile' | 'ready'>,
  mapped: readonly MappedFile[],
): Promise<readonly MappedFile[]> {
  const seen = new Set([...MADE_BY_ENGINE, ...mapped.map(({ path }) => path)]);
  const actions = groupActions(dump, ready.resources);
  const files: MappedFile[] = [];
  for (const { id } of dump.descriptors) {
    const entry = dump.files.get(id)?.regular;
    if (entry === undefined || !isOpenForReading(entry) || seen.has(entry.path)) continue;
    if (actions.get(id) === 'close') continue;
    seen.add(entry.path);
    const found = await rootFile(entry.path);
    // One that has vanished is refused with its descriptor.
    if (found !== undefined) files.push({ id, path: entry.path, ...found, sha256: await hashFile(found.localPath) });
  }
  return files;
}

/** `place`: where the restored process finds it, and since when it is there. */
export function fileRecord(
  file: MappedFile,
  place: Pick<MappedFile, 'path' | 'mtimeSeconds'>,
  blob: Blob,
): PlanRecord<'file'> {
  return {
    size: file.sizeBytes,
    mtime_s: Math.floor(place.mtimeSeconds),
    path_blob: blob.text(place.path),
    open_flags: 0, // O_RDONLY
    sha256: file.sha256,
  };
}

async function hashFile(path: string): Promise<Buffer> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest();
}
