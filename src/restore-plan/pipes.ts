import type { FdInfo, FileEntry, Present } from '../criu/schema.ts';
import type { DescriptorContext } from './descriptors.ts';
import { FD, type FdRecord, NONE } from './format.ts';

type Pipe = Present<FileEntry['pipe']>;
interface End {
  readonly pipe: Pipe;
  readonly descriptor: FdInfo;
}

const OPEN_MODE = 3;
const O_RDONLY = 0;
const LAST_STANDARD_FD = 2;
const USUAL_CAPACITY = 65536;

/**
 * The record stands at the read end; the write end comes with it. An end that no descriptor has is closed: the other one
 * meets end of file or EPIPE, whether it was closed before or was outside the app.
 */
export function planPipe(
  info: FdInfo,
  pipe: Pipe,
  { dump, blob, refuse, descriptorOf }: DescriptorContext,
): FdRecord | undefined {
  const ends = [...dump.files.values()].flatMap((file): End[] => {
    const descriptor = descriptorOf(file.id);
    return file.pipe?.pipeId === pipe.pipeId && descriptor !== undefined ? [{ pipe: file.pipe, descriptor }] : [];
  });
  const object = `descriptor ${info.fd} (pipe)`;
  const standard = ends.find(({ descriptor }) => descriptor.fd <= LAST_STANDARD_FD);
  if (standard !== undefined) {
    // Opened by a name such as /dev/stdout.
    if (isReader(standard.pipe) === isReader(pipe))
      return { fd: info.fd, kind: FD.DUP, fd_flags: info.flags, a: standard.descriptor.fd };
    refuse(object, `its other end is descriptor ${standard.descriptor.fd}`, 'Close it in beforeCheckpoint');
    return undefined;
  }
  const [reader, ...moreReaders] = ends.filter((end) => isReader(end.pipe));
  const [writer, ...moreWriters] = ends.filter((end) => !isReader(end.pipe));
  if (moreReaders.length + moreWriters.length > 0) {
    refuse(object, 'it was opened more than once', 'Close it in beforeCheckpoint');
    return undefined;
  }
  if ((reader ?? writer)?.descriptor !== info) return undefined;
  const content = dump.pipeContents.find(({ pipeId }) => pipeId === pipe.pipeId);
  const bytes = content?.bytes ?? Buffer.alloc(0);
  return {
    fd: reader?.descriptor.fd ?? NONE,
    kind: FD.PIPE,
    flags: reader?.pipe.flags ?? 0,
    fd_flags: reader?.descriptor.flags ?? 0,
    a: writer?.descriptor.fd ?? NONE,
    b: bytes.length === 0 ? 0 : blob.add(bytes),
    c: bytes.length,
    d: (BigInt(writer?.descriptor.flags ?? 0) << 32n) | BigInt(writer?.pipe.flags ?? 0),
    path_blob: content === undefined || content.capacityBytes === USUAL_CAPACITY ? 0 : content.capacityBytes,
  };
}

function isReader({ flags }: Pipe): boolean {
  return (flags & OPEN_MODE) === O_RDONLY;
}
