import type { FdInfo, FileEntry } from '../criu/schema.ts';
import type { Blob } from './blob.ts';
import { FD, type FdRecord, NONE } from './format.ts';
import type { SocketTable } from './socket-table.ts';

const O_PATH = 0o10000000;
const O_NONBLOCK = 0o4000;
const AF_UNIX = 1;
const SOCK_STREAM = 1;

/**
 * What a descriptor becomes that is not restored: its number stays taken, so that the app's objects never meet another
 * file under it. Files fail with EBADF; connections, pipes and listening sockets read end of file; of datagram sockets and
 * everything else nothing is ever heard again.
 */
export function planStandIn(
  { fd, flags: fdFlags }: FdInfo,
  entry: FileEntry,
  { blob, sockets }: { readonly blob: Blob; readonly sockets: SocketTable },
): FdRecord {
  const common = { fd, fd_flags: fdFlags };
  const { regular, pipe, inet, unix } = entry;
  if (regular !== undefined) return { ...common, kind: FD.FILE, flags: O_PATH, path_blob: blob.text('/') };
  const status = (pipe ?? inet ?? unix)?.flags ?? 0;
  if (pipe !== undefined || (inet ?? unix)?.type === SOCK_STREAM)
    return { ...common, kind: FD.DEAD, flags: status & O_NONBLOCK };
  if (inet !== undefined || unix !== undefined) {
    const kind = inet ?? { family: AF_UNIX, type: unix?.type ?? 0, protocol: 0 };
    const socket = { family: kind.family, type: kind.type, protocol: kind.protocol, backlog: NONE };
    return { ...common, kind: FD.SOCKET, flags: status, a: sockets.add(socket), path_blob: blob.text('a stand-in') };
  }
  return { ...common, kind: FD.EVENTFD, flags: O_NONBLOCK };
}
