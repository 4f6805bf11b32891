import type { RawSocketOption } from '../criu/descriptor-facts.ts';
import type { Blob } from './blob.ts';
import type { PlanRecord } from './format.ts';

/** The address of a socket in the blob; a NUL follows it, so that a unix path ends. */
export function addAddress(address: Buffer, blob: Blob): PlanRecord<'socket'> {
  if (address.length === 0) return {};
  return { address_blob: blob.add(Buffer.concat([address, Buffer.alloc(1)]), 8), address_size: address.length };
}

/** Grows the sections SOCKETS and SOCKOPTS. */
export class SocketTable {
  readonly sockets: PlanRecord<'socket'>[] = [];
  readonly options: PlanRecord<'sockopt'>[] = [];

  /** The index of the new socket. */
  add(socket: PlanRecord<'socket'>, options: readonly RawSocketOption[] = []): number {
    this.sockets.push({ ...socket, first_option: this.options.length, option_count: options.length });
    this.options.push(...options.map(({ level, name, value }) => ({ level, name, size: value.length, value })));
    return this.sockets.length - 1;
  }
}
