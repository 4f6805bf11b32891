/** What `ctl descriptors` tells, because CRIU's images do not; native/ctl/descriptors.h has the lines. */
import { CracBuildError } from '../errors.ts';

/** Beside CRIU's images, in their folder. */
export const DESCRIPTOR_FACTS = 'descriptors.txt';

export interface RawSocketOption {
  readonly level: number;
  readonly name: number;
  readonly value: Buffer;
}
export interface DescriptorFacts {
  /** Of sockets, by descriptor. */
  readonly options: ReadonlyMap<number, readonly RawSocketOption[]>;
  /** Multicast groups that a socket is a member of, by descriptor. */
  readonly groups: ReadonlyMap<number, readonly string[]>;
  /** Eventfds that count down by one. */
  readonly semaphores: ReadonlySet<number>;
}

export function parseDescriptorFacts(text: string): DescriptorFacts {
  const options = new Map<number, RawSocketOption[]>();
  const groups = new Map<number, string[]>();
  const semaphores = new Set<number>();
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const [, fd, level, name, hex] = /^option (\d+) (\d+) (\d+) ((?:[0-9a-f]{2}){1,16})$/.exec(line) ?? [];
    const [, member, group] = /^member (\d+) ([0-9a-f.:]+)$/.exec(line) ?? [];
    const [, semaphore] = /^semaphore (\d+)$/.exec(line) ?? [];
    if (hex !== undefined)
      append(options, Number(fd), { level: Number(level), name: Number(name), value: Buffer.from(hex, 'hex') });
    else if (group !== undefined) append(groups, Number(member), group);
    else if (semaphore !== undefined) semaphores.add(Number(semaphore));
    else throw new CracBuildError('CHECKPOINT_FAILED', `not a line about a descriptor: ${line}`);
  }
  return { options, groups, semaphores };
}

function append<T>(lists: Map<number, T[]>, key: number, value: T): void {
  const list = lists.get(key) ?? [];
  list.push(value);
  lists.set(key, list);
}
