/** TCP and UDP. */
import type { Dump } from '../criu/read-dump.ts';
import type { FileEntry, Present } from '../criu/schema.ts';
import type { DescriptorContext } from './descriptors.ts';
import { FD, type FdRecord, NONE } from './format.ts';
import { planInetOptions, refusePrivileged } from './socket-options.ts';
import { addAddress } from './socket-table.ts';

type Common = { readonly fd: number; readonly fd_flags: number };
type InetSocket = Present<FileEntry['inet']>;

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const TCP = 6;
const UDP = 17;
const TCP_CLOSE = 7;
const TCP_CLOSE_WAIT = 8;
const TCP_LISTEN = 10;
export const CLOSE_AND_REOPEN = 'Close it in beforeCheckpoint and open it again in afterRestore';

export function planInetSocket(
  common: Common,
  id: number,
  socket: InetSocket,
  { dump, blob, sockets, refuse, actions }: DescriptorContext,
): FdRecord | undefined {
  const isTcp = socket.type === SOCK_STREAM && (socket.protocol === TCP || socket.protocol === 0);
  const isUdp = socket.type === SOCK_DGRAM && (socket.protocol === UDP || socket.protocol === 0);
  const object = `descriptor ${common.fd} (${isTcp ? 'TCP' : isUdp ? 'UDP' : 'raw or ICMP'} socket, port ${socket.sourcePort})`;
  const flags = { ...common, flags: socket.flags };
  if (!isTcp && !isUdp) {
    refuse(
      object,
      `it is of a kind (type ${socket.type}, protocol ${socket.protocol}) that needs rights`,
      CLOSE_AND_REOPEN,
    );
    return undefined;
  }
  const isListening = isTcp && socket.state === TCP_LISTEN;
  const isConnected = !isListening && (socket.targetPort !== 0 || socket.state !== TCP_CLOSE || socket.shutdown !== 0);
  if (isTcp && isConnected) {
    // What the peer sent and was not read is lost with the connection.
    if (actions === undefined || actions.has(id) || canEnd(socket, dump)) return { ...flags, kind: FD.DEAD };
    refuse(object, `it was opened to port ${socket.targetPort} while the checkpoint was prepared`, CLOSE_AND_REOPEN);
    return undefined;
  }
  if (isConnected) {
    refuse(object, `it is connected to port ${socket.targetPort}`, CLOSE_AND_REOPEN);
    return undefined;
  }
  const more = dump.descriptorFacts.options.get(common.fd) ?? [];
  refusePrivileged(object, socket.options, more, refuse);
  for (const group of dump.descriptorFacts.groups.get(common.fd) ?? [])
    refuse(
      object,
      `it is a member of the multicast group ${group}`,
      'Leave the group in beforeCheckpoint and join it again in afterRestore',
    );
  if (socket.interfaceName)
    refuse(object, `its address is one of the network interface ${socket.interfaceName} alone`, CLOSE_AND_REOPEN);
  const address = socket.sourcePort === 0 ? Buffer.alloc(0) : renderAddress(socket);
  const record = {
    family: socket.family,
    type: socket.type,
    protocol: socket.protocol,
    backlog: isListening ? socket.backlog : NONE,
    ...addAddress(address, blob),
  };
  return {
    ...flags,
    kind: FD.SOCKET,
    a: sockets.add(record, planInetOptions(socket, more)),
    path_blob: blob.text(nameSocket(socket, isTcp)),
  };
}

/** The app's clients connect again; who has ended a connection does not miss it. */
function canEnd(socket: InetSocket, dump: Dump): boolean {
  const isAccepted = [...dump.files.values()].some(
    ({ inet }) => inet?.state === TCP_LISTEN && inet.sourcePort === socket.sourcePort,
  );
  return isAccepted || socket.state === TCP_CLOSE || socket.state === TCP_CLOSE_WAIT;
}

/** As it is told when it cannot be bound. */
function nameSocket({ family, sourcePort, sourceAddress }: InetSocket, isTcp: boolean): string {
  const port = sourcePort === 0 ? `a ${isTcp ? 'TCP' : 'UDP'} socket` : `${isTcp ? '' : 'UDP '}port ${sourcePort}`;
  const [word = 0] = sourceAddress;
  if (family !== AF_INET || word === 0) return port;
  return `${port} of ${[0, 8, 16, 24].map((shift) => (word >>> shift) & 255).join('.')}`;
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
