/**
 * HotSpot remembers each thread's kernel id (OSThread::_thread_id) next to its pthread_t (_pthread_id), which is the
 * TLS base. Such pairs are looked for in the dump: the distance at which most threads have their pair is the one.
 */
import type { DumpedThread } from '../criu/read-dump.ts';
import type { PlanRecord } from './format.ts';
import type { PageScanner } from './page-scanner.ts';
import type { FilePages, ProcessMemory } from './process-memory.ts';

/** 184 bytes in JDK 17 (a signal mask lies between them); glibc's own pair in `struct pthread` is 704 apart. */
const REACH_BYTES = 256;
/** By chance alone one thread may show a pair somewhere. */
const FEWEST_THREADS = 3;
const CHUNK_BYTES = 4 << 20;

interface Hit {
  readonly thread: number;
  readonly address: number;
}

export function findTidFixes(
  threads: readonly DumpedThread[],
  memory: ProcessMemory,
  scanner: PageScanner,
): PlanRecord<'tidfix'>[] {
  const byTls = new Map(threads.map(({ core }, index) => [core.thread?.registers?.fsBase ?? 0n, index]));
  const wanted = BigUint64Array.from(byTls.keys()).sort();
  const byDistance = new Map<number, Hit[]>();
  const bytes = Buffer.alloc(CHUNK_BYTES);
  for (const pages of memory.pages())
    for (let done = 0; done < pages.length; done += CHUNK_BYTES) {
      const chunk = bytes.subarray(0, Math.min(CHUNK_BYTES, pages.length - done));
      memory.readInto(pages.file, pages.offset + done, chunk);
      for (const at of scanner.findWords(chunk, wanted))
        addHits(byDistance, byTls.get(chunk.readBigUInt64LE(at)) ?? 0, done + at, pages);
    }
  const best = [...byDistance.values()].toSorted((a, b) => countThreads(b) - countThreads(a))[0] ?? [];
  return countThreads(best) < FEWEST_THREADS ? [] : best.map(({ thread, address }) => ({ address, thread }));

  /** Where the thread's id stands within reach of its TLS base, which is `at` bytes into the pages. */
  function addHits(hits: Map<number, Hit[]>, thread: number, at: number, pages: FilePages): void {
    const from = Math.max(at - REACH_BYTES, 0);
    const around = Buffer.alloc(Math.min(at + REACH_BYTES + 4, pages.length) - from);
    memory.readInto(pages.file, pages.offset + from, around);
    for (let i = 0; i + 4 <= around.length; i += 4) {
      const distance = from + i - at;
      if (around.readUInt32LE(i) !== threads[thread]?.tid || distance === 0 || distance === 4) continue;
      hits.set(distance, [...(hits.get(distance) ?? []), { thread, address: pages.address + at + distance }]);
    }
  }
}

function countThreads(hits: readonly Hit[]): number {
  return new Set(hits.map(({ thread }) => thread)).size;
}
