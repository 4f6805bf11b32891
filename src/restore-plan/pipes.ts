import type { FdInfo, FileEntry, Present } from '../criu/schema.ts';
import type { DescriptorContext } from './descriptors.ts';
import { FD, type FdRecord } from './format.ts';

const OPEN_MODE = 3;
const O_RDONLY = 0;
const LAST_STANDARD_FD = 2;

/** The record stands at the read end; the write end comes with it. */
export function planPipe(
  info: FdInfo,
  pipe: Present<FileEntry['pipe']>,
  { dump, blob, refuse, descriptorOf }: DescriptorContext,
): FdRecord | undefined {
  const ends = [...dump.files.values()].flatMap((file) => {
    const descriptor = descriptorOf(file.id);
    return file.pipe?.pipeId === pipe.pipeId && descriptor !== undefined ? [{ end: file.pipe, descriptor }] : [];
  });
  const [reader, ...moreReaders] = ends.filter(({ end }) => (end.flags & OPEN_MODE) === O_RDONLY);
  const [writer, ...moreWriters] = ends.filter(({ end }) => (end.flags & OPEN_MODE) !== O_RDONLY);
  const object = `descriptor ${info.fd} (pipe)`;
  if (
    ends.some(({ descriptor }) => descriptor.fd <= LAST_STANDARD_FD) ||
    reader === undefined ||
    writer === undefined
  ) {
    refuse(object, 'its other end is outside the app', 'Close it in beforeCheckpoint; end child processes first');
    return undefined;
  }
  if (moreReaders.length + moreWriters.length > 0) {
    refuse(object, 'it was opened more than once', 'Close it in beforeCheckpoint');
    return undefined;
  }
  if (reader.descriptor !== info) return undefined;
  const content = dump.pipeContents.find(({ pipeId }) => pipeId === pipe.pipeId);
  const bytes = content?.bytes ?? Buffer.alloc(0);
  return {
    fd: info.fd,
    kind: FD.PIPE,
    flags: pipe.flags,
    fd_flags: info.flags,
    a: writer.descriptor.fd,
    b: bytes.length === 0 ? 0 : blob.add(bytes),
    c: bytes.length,
    d: (BigInt(writer.descriptor.flags) << 32n) | BigInt(writer.end.flags),
    path_blob: content?.capacityBytes ?? 0,
  };
}
