/** What `ctl descriptors` tells, because CRIU's images do not; native/ctl/descriptors.h and threads.h have the lines. */
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
  /** What a thread does not share with the others, by thread id. */
  readonly threads: ReadonlyMap<number, readonly ThreadFact[]>;
}
/** Descriptors, current folder; `processors`: it was bound to some. */
export type ThreadFact = 'descriptors' | 'folder' | 'processors';

export function parseDescriptorFacts(text: string): DescriptorFacts {
  const options = new Map<number, RawSocketOption[]>();
  const groups = new Map<number, string[]>();
  const semaphores = new Set<number>();
  const threads = new Map<number, ThreadFact[]>();
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const [, fd, level, name, hex] = /^option (\d+) (\d+) (\d+) ((?:[0-9a-f]{2}){1,16})$/.exec(line) ?? [];
    const [, member, group] = /^member (\d+) ([0-9a-f.:]+)$/.exec(line) ?? [];
    const [, tid, fact] = /^thread (\d+) (descriptors|folder|processors)$/.exec(line) ?? [];
    const [, semaphore] = /^semaphore (\d+)$/.exec(line) ?? [];
    if (hex !== undefined)
      append(options, Number(fd), { level: Number(level), name: Number(name), value: Buffer.from(hex, 'hex') });
    else if (group !== undefined) append(groups, Number(member), group);
    else if (fact !== undefined) append(threads, Number(tid), fact as ThreadFact);
    else if (semaphore !== undefined) semaphores.add(Number(semaphore));
    else throw new CracBuildError('CHECKPOINT_FAILED', `not a line about a descriptor or a thread: ${line}`);
  }
  return { options, groups, semaphores, threads };
}

function append<T>(lists: Map<number, T[]>, key: number, value: T): void {
  const list = lists.get(key) ?? [];
  list.push(value);
  lists.set(key, list);
}
