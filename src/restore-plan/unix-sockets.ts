import type { QueuedPacket } from '../criu/read-dump.ts';
import type { FdInfo, FileEntry, Present } from '../criu/schema.ts';
import type { DescriptorContext } from './descriptors.ts';
import { FD, type FdRecord, NONE, type PlanRecord } from './format.ts';
import { planCommonOptions, refusePrivileged } from './socket-options.ts';
import { addAddress } from './socket-table.ts';
import { CLOSE_AND_REOPEN } from './sockets.ts';

type UnixSocket = Present<FileEntry['unix']>;

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const ESTABLISHED = 1;
const LISTENING = 10;
const PERMISSIONS = 0o777;

export function planUnixSocket(
  info: FdInfo,
  id: number,
  socket: UnixSocket,
  context: DescriptorContext,
): FdRecord | undefined {
  const { dump, refuse } = context;
  const object = `descriptor ${info.fd} (unix socket${nameOf(socket) === '' ? '' : ` ${nameOf(socket)}`})`;
  const no = (reason: string): undefined => refuse(object, reason, CLOSE_AND_REOPEN) as undefined;
  refusePrivileged(object, socket.options, [], refuse);
  const queue = dump.socketQueues.get(id) ?? [];
  if (queue.some(({ hasDescriptors }) => hasDescriptors))
    return no('a descriptor that was sent to it waits to be read');
  // A datagram socket is ESTABLISHED, too, when another one has connected to its name.
  const isNamedDatagram = socket.type === SOCK_DGRAM && nameOf(socket) !== '';
  const isConnected =
    socket.peer !== 0 || (!isNamedDatagram && (socket.state === ESTABLISHED || socket.shutdown !== 0));
  if (socket.state === LISTENING || !isConnected) {
    if (queue.length > 0) return no('it holds unread data');
    return socket.isDeleted ? no('the file that it was bound to was deleted') : planAlone(info, socket, context);
  }
  // For streams a name is how they were found, and no more: nothing depends on it when they are connected.
  if (isNamedDatagram) return no('it is bound to a name and connected');
  return socket.peer === 0 ? planHalf(info, socket, queue, context) : planPair(info, id, socket, context, no);
}

function planAlone(info: FdInfo, socket: UnixSocket, { blob, sockets }: DescriptorContext): FdRecord {
  const name = Buffer.from(socket.name);
  const address = name.length === 0 ? name : Buffer.concat([Buffer.from([AF_UNIX, 0]), name]);
  const index = sockets.add(
    {
      ...recordOf(socket),
      backlog: socket.state === LISTENING ? socket.backlog : NONE,
      ...addAddress(address, blob),
      folder_blob: socket.folder === '' ? 0 : blob.text(socket.folder),
      file_mode: (socket.permissions?.mode ?? 0) & PERMISSIONS,
    },
    planCommonOptions(socket.options),
  );
  return {
    ...commonOf(info, socket),
    kind: FD.SOCKET,
    a: index,
    path_blob: blob.text(`unix socket ${nameOf(socket)}`.trim()),
  };
}

/** Its peer has gone; it may still be read to the end. */
function planHalf(
  info: FdInfo,
  socket: UnixSocket,
  queue: readonly QueuedPacket[],
  { blob, sockets }: DescriptorContext,
): FdRecord {
  if (socket.type === SOCK_STREAM && queue.length === 0) return { ...commonOf(info, socket), kind: FD.DEAD };
  const record = { ...recordOf(socket), ...renderQueue(queue, blob) };
  const index = sockets.add(record, planCommonOptions(socket.options));
  return { ...commonOf(info, socket), kind: FD.UNIX_PAIR, a: NONE, b: index, c: sockets.add(recordOf(socket)) };
}

function planPair(
  info: FdInfo,
  id: number,
  socket: UnixSocket,
  { dump, blob, sockets, descriptorOf }: DescriptorContext,
  no: (reason: string) => undefined,
): FdRecord | undefined {
  const peer = [...dump.files.values()].find((file) => file.unix?.ino === socket.peer);
  const peerDescriptor = peer === undefined ? undefined : descriptorOf(peer.id);
  if (peer?.unix === undefined || peerDescriptor === undefined) return no('its peer is outside the app');
  if (peer.unix.state === LISTENING) return no('its connection has not been accepted yet');
  if (peer.unix.peer !== socket.ino)
    return no(`it sends to descriptor ${peerDescriptor.fd}, which does not send to it`);
  if (peerDescriptor.fd <= 2) return no('its peer is one of the standard streams');
  if (peerDescriptor.fd < info.fd) return undefined; // comes with its peer
  const add = (end: UnixSocket, endId: number): number =>
    sockets.add(
      { ...recordOf(end), ...renderQueue(dump.socketQueues.get(endId) ?? [], blob), shutdown: end.shutdown },
      planCommonOptions(end.options),
    );
  return {
    ...commonOf(info, socket),
    kind: FD.UNIX_PAIR,
    a: peerDescriptor.fd,
    b: add(socket, id),
    c: add(peer.unix, peer.id),
    d: (BigInt(peerDescriptor.flags) << 32n) | BigInt(peer.unix.flags),
  };
}

/** u32 size, bytes … */
function renderQueue(queue: readonly QueuedPacket[], blob: DescriptorContext['blob']): PlanRecord<'socket'> {
  if (queue.length === 0) return {};
  const parts = queue.flatMap(({ bytes }) => {
    const size = Buffer.alloc(4);
    size.writeUInt32LE(bytes.length);
    return [size, bytes];
  });
  const rendered = Buffer.concat(parts);
  return { queue_blob: blob.add(rendered, 8), packet_count: queue.length, queue_size: rendered.length };
}

function recordOf(socket: UnixSocket): PlanRecord<'socket'> {
  return { family: AF_UNIX, type: socket.type, backlog: NONE };
}

function commonOf({ fd, flags }: FdInfo, socket: UnixSocket) {
  return { fd, fd_flags: flags, flags: socket.flags };
}

/** Abstract ones begin with "@", as tools show them; a path ends with NUL. */
function nameOf({ name }: UnixSocket): string {
  return Buffer.from(name).toString('utf8').replace(/\0$/, '').replaceAll('\0', '@');
}
