/** A JVM that runs on another malloc, which gives memory back eagerly, answers requests before and after. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ReadyFacts } from '../../src/criu/checkpoint.ts';
import { MEM } from '../../src/restore-plan/format.ts';
import type { RestoreImage } from '../../src/restore-plan/restore-image.ts';
import {
  askToPrepare,
  dumpAndCompile,
  ended,
  eventually,
  findFreePort,
  get,
  HOMES,
  type HostJvm,
  openWork,
  startJvm,
  startRestored,
} from './host-jvm.ts';

const { work, native } = openWork('jvm-allocators-test');
const repo = new URL('../..', import.meta.url).pathname;
const PROT_EXEC = 4;
const JAR = join(repo, 'examples/plain-http/target/plain-http.jar');
beforeAll(() => execFileSync(join(repo, 'examples/plain-http/build')), 60_000);

test.each([
  ['libjemalloc.so.2', { MALLOC_CONF: 'dirty_decay_ms:0,muzzy_decay_ms:0' }],
  ['libmimalloc.so.2.0', { MIMALLOC_RESET_DELAY: '0', MIMALLOC_PAGE_RESET: '1' }],
  ['libtcmalloc_minimal.so.4', { TCMALLOC_RELEASE_RATE: '1000' }],
] as const)(
  '%s: its memory is read, the heap is mapped, and all goes on',
  async (library, settings) => {
    const host: HostJvm = { home: HOMES[17], native, dir: join(work, library) };
    const port = await findFreePort();
    const env = { LD_PRELOAD: library, ...settings };
    const jvm = startJvm(host, ['-jar', JAR, String(port)], { env });
    await eventually(() => get(port, '/'));
    const before = await traffic(port);
    const { answer, status } = askToPrepare(host, jvm.pid ?? 0);
    expect([status, answer.error]).toEqual([0, undefined]);
    const image = await dumpAndCompile(host, jvm, answer);
    expect(image.allocators).toEqual([expect.stringContaining(library.replace(/\.so.*/, ''))]);
    expect(anonymousMappedOutside(image, answer)).toEqual([]);
    expect(mappedInside(image, answer)).toBeGreaterThan(0);

    const restored = startRestored(host, [], { CRAC_CHECKPOINT_TIMEOUT: '0' });
    await eventually(() => get(port, '/'));
    for (let round = 0; round < 2; round++) expect(await traffic(port)).toEqual(before);
    restored.kill('SIGTERM');
    expect(await ended(restored)).toBe(143);
    expect(readFileSync(join(host.dir, 'restored.log'), 'utf8')).toBe('bye\n');
  },
  60_000,
);

/** Compiles, collects, starts threads, throws; gives what is the same each time. */
async function traffic(port: number): Promise<readonly string[]> {
  const answers = ['/work?n=1000', '/work?n=3000', '/threads?n=200', '/npe', '/soe', '/gc'].map((path) =>
    get(port, path),
  );
  for (let i = 0; i < 10; i++)
    await Promise.all(['/', '/work?n=500', '/random', '/jit'].map((path) => get(port, path)));
  return (await Promise.all(answers)).slice(0, 2);
}

function heapOf({ heap }: ReadyFacts): { start: number; end: number } {
  const start = Number(heap?.address);
  return { start, end: start + (heap?.sizeBytes ?? 0) };
}

function mappedInside({ contents }: RestoreImage, ready: ReadyFacts): number {
  const { start, end } = heapOf(ready);
  return contents.sections.mem.filter(({ kind, address }) => kind === MEM.PAGES && address >= start && address < end)
    .length;
}

/** Of areas without a file and without code. */
function anonymousMappedOutside({ contents }: RestoreImage, ready: ReadyFacts): readonly string[] {
  const { start, end } = heapOf(ready);
  let isAnonymous = false;
  return contents.sections.mem.flatMap(({ kind, address, prot }) => {
    if (kind === MEM.ANON || kind === MEM.FILE) isAnonymous = kind === MEM.ANON;
    const isData = kind === MEM.PAGES && (Number(prot) & PROT_EXEC) === 0;
    return isData && isAnonymous && (address < start || address >= end) ? [address.toString(16)] : [];
  });
}
