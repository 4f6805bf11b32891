import type { Dump } from '../criu/read-dump.ts';
import type { FileEntry, Present } from '../criu/schema.ts';
import type { DescriptorContext } from './descriptors.ts';
import { FD, type FdRecord, SOCKET_OPTION } from './format.ts';

type Common = { readonly fd: number; readonly fd_flags: number };
type InetSocket = Present<FileEntry['inet']>;

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const TCP = 6;
const TCP_CLOSE = 7;
const TCP_CLOSE_WAIT = 8;
const TCP_LISTEN = 10;
const CLOSE_IT = 'Close it in beforeCheckpoint and open it again in afterRestore';

export function planInetSocket(
  common: Common,
  id: number,
  socket: InetSocket,
  { dump, blob, refuse, actions }: DescriptorContext,
): FdRecord | undefined {
  const isTcp = socket.type === SOCK_STREAM && (socket.protocol === TCP || socket.protocol === 0);
  const object = `descriptor ${common.fd} (${isTcp ? 'TCP' : 'UDP or raw'} socket, port ${socket.sourcePort})`;
  const flags = { ...common, flags: socket.flags };
  if (socket.options?.boundDevice || socket.interfaceName) {
    refuse(object, 'it is bound to a network interface', CLOSE_IT);
    return undefined;
  }
  if (isTcp && socket.state === TCP_LISTEN) {
    const address = renderAddress(socket);
    return {
      ...flags,
      kind: FD.TCP_LISTEN,
      a: socket.family,
      b: blob.add(address, 8),
      c: address.length,
      d: socket.backlog,
      options: optionsOf(socket),
    };
  }
  const isConnected = socket.targetPort !== 0 || socket.state !== TCP_CLOSE;
  if (isTcp && isConnected) {
    // What the peer sent and was not read is lost with the connection.
    if (actions === undefined || actions.has(id) || canEnd(socket, dump)) return { ...flags, kind: FD.DEAD };
    refuse(object, `it was opened to port ${socket.targetPort} while the checkpoint was prepared`, CLOSE_IT);
    return undefined;
  }
  if (dump.queuedSockets.includes(id)) refuse(object, 'it holds unread data', CLOSE_IT);
  else if (isConnected || socket.sourcePort !== 0) refuse(object, 'it is bound or connected', CLOSE_IT);
  else if (socket.type > 2) refuse(object, 'it is a raw socket', CLOSE_IT);
  else return { ...flags, kind: FD.SOCKET, a: socket.family, b: socket.type, c: socket.protocol };
  return undefined;
}

/** The app's clients connect again; who has ended a connection does not miss it. */
function canEnd(socket: InetSocket, dump: Dump): boolean {
  const isAccepted = [...dump.files.values()].some(
    ({ inet }) => inet?.state === TCP_LISTEN && inet.sourcePort === socket.sourcePort,
  );
  return isAccepted || socket.state === TCP_CLOSE || socket.state === TCP_CLOSE_WAIT;
}

export function planUnixSocket(
  common: Common,
  id: number,
  socket: Present<FileEntry['unix']>,
  { dump, refuse, descriptorOf }: DescriptorContext,
): FdRecord | undefined {
  const name = Buffer.from(socket.name).toString('utf8').replaceAll('\0', '@');
  const object = `descriptor ${common.fd} (unix socket${name === '' ? '' : ` ${name}`})`;
  const flags = { ...common, flags: socket.flags };
  if (dump.queuedSockets.includes(id)) {
    refuse(object, 'it holds unread data', CLOSE_IT);
    return undefined;
  }
  if (name !== '' || socket.state === TCP_LISTEN) {
    refuse(object, 'it is bound to a name', CLOSE_IT);
    return undefined;
  }
  if (socket.peer === 0) {
    // The JDK keeps one half of a closed pair, to put it in the place of sockets that are being closed.
    if (socket.state === TCP_CLOSE && socket.shutdown === 0)
      return { ...flags, kind: FD.SOCKET, a: AF_UNIX, b: socket.type, c: 0 };
    if (socket.type === SOCK_STREAM) return { ...flags, kind: FD.DEAD };
    refuse(object, 'its peer has gone', CLOSE_IT);
    return undefined;
  }
  const peer = [...dump.files.values()].find((file) => file.unix?.ino === socket.peer);
  const peerDescriptor = peer === undefined ? undefined : descriptorOf(peer.id);
  if (peer?.unix?.peer !== socket.ino || peerDescriptor === undefined) {
    refuse(object, 'its peer is outside the app', CLOSE_IT);
    return undefined;
  }
  if (dump.queuedSockets.includes(peer.id) || socket.shutdown !== 0 || peer.unix.shutdown !== 0) {
    refuse(object, 'it is half closed or holds unread data', CLOSE_IT);
    return undefined;
  }
  if (peerDescriptor.fd < common.fd) return undefined; // comes with its peer
  return {
    ...flags,
    kind: FD.UNIX_PAIR,
    a: peerDescriptor.fd,
    b: socket.type,
    d: (BigInt(peerDescriptor.flags) << 32n) | BigInt(peer.unix.flags),
  };
}

/** sockaddr_in: family, port, address; sockaddr_in6: family, port, flow, address, scope. Ports in network order. */
function renderAddress(socket: InetSocket): Buffer {
  const isV6 = socket.family === AF_INET6;
  const address = Buffer.alloc(isV6 ? 28 : 16);
  address.writeUInt16LE(isV6 ? AF_INET6 : AF_INET, 0);
  address.writeUInt16BE(socket.sourcePort, 2);
  for (const [index, word] of socket.sourceAddress.slice(0, isV6 ? 4 : 1).entries())
    address.writeUInt32LE(word >>> 0, (isV6 ? 8 : 4) + index * 4);
  return address;
}

function optionsOf(socket: InetSocket): number {
  return (
    (socket.options?.reuseAddress ? SOCKET_OPTION.REUSEADDR : 0) |
    (socket.options?.reusePort ? SOCKET_OPTION.REUSEPORT : 0) |
    (socket.v6Only ? SOCKET_OPTION.V6ONLY : 0) |
    (socket.tcp?.noDelay ? SOCKET_OPTION.NODELAY : 0) |
    (socket.options?.keepAlive ? SOCKET_OPTION.KEEPALIVE : 0)
  );
}
