/**
 * HotSpot remembers each thread's kernel id (OSThread::_thread_id) next to its pthread_t (_pthread_id), which is the
 * TLS base. Such pairs are looked for in the dump: the distance at which most threads have their pair is the one.
 */
import type { DumpedThread } from '../criu/read-dump.ts';
import type { PlanRecord } from './format.ts';
import type { ProcessMemory } from './process-memory.ts';

/** 184 bytes in JDK 17 (a signal mask lies between them); glibc's own pair in `struct pthread` is 704 apart. */
const REACH_BYTES = 256;
/** By chance alone one thread may show a pair somewhere. */
const FEWEST_THREADS = 3;

interface Hit {
  readonly thread: number;
  readonly address: number;
}

export function findTidFixes(threads: readonly DumpedThread[], memory: ProcessMemory): PlanRecord<'tidfix'>[] {
  const byTls = new Map<bigint, number>();
  const lowWords = new Set<number>();
  for (const [index, { core }] of threads.entries()) {
    const tls = core.thread?.registers?.fsBase ?? 0n;
    byTls.set(tls, index);
    lowWords.add(Number(tls & 0xffffffffn));
  }
  const byDistance = new Map<number, Hit[]>();
  for (const run of memory.runs) {
    const bytes = memory.readRun(run);
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    for (let i = 0; i + 1 < words.length; i += 2) {
      if (!lowWords.has(words[i] ?? 0)) continue;
      const thread = byTls.get((BigInt(words[i + 1] ?? 0) << 32n) | BigInt(words[i] ?? 0));
      const tid = thread === undefined ? undefined : threads[thread]?.tid;
      if (thread === undefined || tid === undefined) continue;
      for (let distance = -REACH_BYTES; distance <= REACH_BYTES; distance += 4) {
        const at = i + distance / 4;
        if (words[at] !== tid || at === i || at === i + 1) continue;
        const hits = byDistance.get(distance) ?? [];
        hits.push({ thread, address: run.address + at * 4 });
        byDistance.set(distance, hits);
      }
    }
  }
  const best = [...byDistance.values()].toSorted((a, b) => countThreads(b) - countThreads(a))[0] ?? [];
  return countThreads(best) < FEWEST_THREADS ? [] : best.map(({ thread, address }) => ({ address, thread }));
}

function countThreads(hits: readonly Hit[]): number {
  return new Set(hits.map(({ thread }) => thread)).size;
}
