/**
 * Held locks of the C library that know their owner by its thread id, which is another one after a restore: unlocking would
 * fail, and locking again would wait for ever. glibc, x86-64, in words of 32 bits:
 *
 *   pthread_mutex_t: lock | count | owner | users | kind | spins | list, 4 words
 *   pthread_rwlock_t: readers | writers | phase futex | writers futex | 2 unused | writer | shared | 4 unused | flags
 *
 * In a normal or adaptive mutex nobody reads the owner. Robust ones, and those with priority inheritance, have the id in
 * the lock, beside bits of the kernel's.
 */
import type { DumpedThread } from '../criu/read-dump.ts';
import type { Vma } from '../criu/schema.ts';
import { type Areas, isFileArea, MAP } from './areas.ts';
import type { PlanRecord } from './format.ts';
import type { ProcessMemory } from './process-memory.ts';
import type { Refuse } from './refusals.ts';
import { isInSystemCall } from './sigframe.ts';
import { nameOf } from './threads.ts';

const OWNER = 2;
const WRITER = 6;
const LOCK_WORDS = 13;
const MUTEX_BYTES = 40;
const KIND_AT = 4;
const PHASE_AT = 2;
const KIND = { recursive: 1, checking: 2, type: 3, robust: 16, inheriting: 32, shared: 128, elision: 0x300 } as const;
const KNOWN_KINDS = KIND.type | KIND.robust | KIND.inheriting | KIND.shared | KIND.elision;
const TID_MASK = 0x3fffffff;
const MANY = 0xffff;
const WRITE_LOCKED = 3;
const FUTEX_WORDS = [1, 3];
const PROT_READ_WRITE = 3;
const CHUNK_BYTES = 4 << 20;
const SYS_FUTEX = 202n;

interface Range {
  readonly start: number;
  readonly end: number;
}

/** `tids`: of the threads in the plan's order. The Java heap holds no locks of C, but numbers of all sorts. */
export function findLockOwners(
  tids: readonly number[],
  areas: Areas,
  memory: ProcessMemory,
  heap: Range | undefined,
): PlanRecord<'tidfix'>[] {
  const threadOf = new Map(tids.map((tid, thread) => [tid, thread]));
  const [least, most] = [Math.min(...tids), Math.max(...tids)]; // looked at first, because a map is slow
  const buffer = new ArrayBuffer(CHUNK_BYTES);
  const isOfHeap = ({ start, end }: Range): boolean => heap !== undefined && start >= heap.start && end <= heap.end;
  return areas.mapped.filter((vma) => canHoldLocks(vma) && !isOfHeap(vma)).flatMap(findInArea);

  function findInArea({ start, end }: Range): PlanRecord<'tidfix'>[] {
    const found: PlanRecord<'tidfix'>[] = [];
    for (const pages of memory.pagesWithin(start, end))
      for (let done = 0; done < pages.length; done += CHUNK_BYTES) {
        const length = Math.min(CHUNK_BYTES, pages.length - done);
        memory.readInto(pages.file, pages.offset + done, Buffer.from(buffer, 0, length));
        const words = new Uint32Array(buffer, 0, length / 4);
        const address = pages.address + done;
        for (let at = 0; at < words.length; at += 2) {
          const word = words[at] ?? 0;
          if (word < least || word > most || !mayBeOwner(words, at)) continue;
          const thread = threadOf.get(word);
          if (thread !== undefined) found.push(...fixesAt(words, at, thread, address));
        }
      }
    return found;
  }

  /** The word at `at` may be the owner of a mutex, or the writer of a lock for readers and writers. */
  function fixesAt(words: Uint32Array, at: number, thread: number, address: number): PlanRecord<'tidfix'>[] {
    const wordsAround = (index: number): Uint32Array => {
      const first = at - index;
      if (first >= 0 && first + LOCK_WORDS <= words.length) return words.subarray(first, first + LOCK_WORDS);
      return wordsOf(memory.read(address + first * 4, LOCK_WORDS * 4) ?? memory.read(address + first * 4, MUTEX_BYTES));
    };
    const owner = { address: address + at * 4, thread };
    const mutex = wordsAround(OWNER);
    if (isWriteLock(wordsAround(WRITER)) || isCountingMutex(mutex)) return [owner];
    if (!isKernelMutex(mutex)) return [];
    return [owner, { address: owner.address - OWNER * 4, thread, bits: ((mutex[0] ?? 0) & ~TID_MASK) >>> 0 }];
  }
}

/** A thread that waits has read its id before, and goes on with the old one when it gets such a lock. */
export function refuseLockWaits(threads: readonly DumpedThread[], memory: ProcessMemory, refuse: Refuse): void {
  for (const { tid, core } of threads) {
    const registers = core.thread?.registers;
    if (registers === undefined || !isInSystemCall(registers) || registers.origAx !== SYS_FUTEX) continue;
    const words = wordsOf(memory.read(Number(registers.di), MUTEX_BYTES));
    if (isCountingMutex(words) || (isKernelMutex(words) && ((words[KIND_AT] ?? 0) & KIND.robust) !== 0))
      refuse(
        `thread ${tid} (${nameOf(core)})`,
        'it waits for a lock that tells its owner by thread id',
        'Take the checkpoint again, when no thread holds such a lock for long',
      );
  }
}

function wordsOf(bytes: Buffer | undefined): Uint32Array {
  return bytes === undefined ? new Uint32Array() : new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}

function canHoldLocks(vma: Vma): boolean {
  return vma.prot === PROT_READ_WRITE && (isFileArea(vma) ? (vma.flags & MAP.shared) === 0 : true);
}

/** At first sight: of a mutex with one of the kinds, or under a futex of a lock for readers and writers. */
function mayBeOwner(words: Uint32Array, at: number): boolean {
  const kind = words[at - OWNER + KIND_AT] ?? 1; // beyond the edge: not known
  const phase = words[at - WRITER + PHASE_AT] ?? 1;
  return (kind !== 0 && kind <= KNOWN_KINDS) || FUTEX_WORDS.includes(phase);
}

function isCountingMutex([lock = 0, count = 0, , users = 0, kind = 0, spins = 0, ...rest]: Uint32Array): boolean {
  const type = kind & ~(KIND.shared | KIND.elision);
  return (
    (lock === 1 || lock === 2) &&
    isSome(users) &&
    spins === 0 &&
    isZero(rest.slice(0, 4)) &&
    ((type === KIND.recursive && isSome(count)) || (type === KIND.checking && count === 0))
  );
}

function isKernelMutex([
  lock = 0,
  count = 0,
  owner = 0,
  users = 0,
  kind = 0,
  spins = 0,
  ...list
]: Uint32Array): boolean {
  const isRobust = (kind & KIND.robust) !== 0;
  return (
    (lock & TID_MASK) === owner &&
    count <= MANY &&
    isSome(users) &&
    spins === 0 &&
    (kind & ~KNOWN_KINDS) === 0 &&
    (kind & (KIND.robust | KIND.inheriting)) !== 0 &&
    isRobust !== isZero(list.slice(0, 4))
  );
}

function isWriteLock(words: Uint32Array): boolean {
  const [readers = 0, writers = 0, phase = 0, futex = 0, unused0, unused1, , shared = 0, ...rest] = words;
  return (
    words.length === LOCK_WORDS &&
    (readers & WRITE_LOCKED) === WRITE_LOCKED &&
    writers <= MANY &&
    FUTEX_WORDS.includes(phase) &&
    FUTEX_WORDS.includes(futex) &&
    unused0 === 0 &&
    unused1 === 0 &&
    shared <= 1 &&
    isZero(rest.slice(0, 4)) &&
    (rest[4] ?? 0) <= MANY
  );
}

function isSome(count: number): boolean {
  return count > 0 && count <= MANY;
}

function isZero(words: readonly number[]): boolean {
  return words.every((word) => word === 0);
}
