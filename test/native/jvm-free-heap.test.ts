/** What is garbage at the checkpoint, and was not dropped by the agent, is left out by the compile step; what lives is kept. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  askToPrepare,
  compileJava,
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

const { work, native } = openWork('jvm-free-heap-test');
const classes = join(work, 'classes');
beforeAll(() => compileJava('GarbageApp', classes), 60_000);

const PAGE = 4096;
const VERIFY = ['-XX:+UnlockDiagnosticVMOptions', '-XX:+VerifyBeforeGC', '-XX:+VerifyAfterGC'];
const GARBAGE = Buffer.alloc(PAGE, 'g');

describe.each([17, 25] as const)('JDK %d', (version) => {
  test.each(['Serial', 'Parallel', 'G1', 'Shenandoah'])(
    '%s: pages of garbage are gone, live data is as before, and collections find no fault',
    async (collector) => {
      const host: HostJvm = { home: HOMES[version], native, dir: join(work, `${version}-${collector}`) };
      const port = await findFreePort();
      // Without a compiler no thread of the JVM's own is at work when it is dumped.
      const options = [
        `-XX:+Use${collector}GC`,
        '-Xint',
        '-Xms64m',
        ...VERIFY,
        '-cp',
        classes,
        'GarbageApp',
        `${port}`,
      ];
      const jvm = startJvm(host, options);
      const sum = await eventually(() => get(port, '/sum'));
      const { answer, status } = askToPrepare(host, jvm.pid ?? 0);
      expect([status, answer.error]).toEqual([0, undefined]);
      await get(port, '/garbage'); // after the agent has dropped what was free
      await get(port, '/large');
      const image = await dumpAndCompile(host, jvm, answer, 'map', ['duplicates']); // pages of garbage are alike
      expect(image.unknownHeap).toBeUndefined();
      expect(image.droppedPages['free-heap'] * PAGE).toBeGreaterThan(10 << 20);
      expect(pagesOf(GARBAGE, readFileSync(image.memFile))).toBeLessThan(256); // in the template, and in what a thread has taken since

      const restored = startRestored(host, [], { CRAC_CHECKPOINT_TIMEOUT: '0' });
      expect(await eventually(() => get(port, '/sum'))).toBe(sum);
      await get(port, '/garbage');
      expect(await get(port, '/sum')).toBe(sum);
      restored.kill('SIGTERM');
      expect(await ended(restored)).toBe(143);
    },
    60_000,
  );
});

function pagesOf(content: Buffer, memory: Buffer): number {
  let count = 0;
  for (let at = 0; at < memory.length; at += PAGE) if (memory.compare(content, 0, PAGE, at, at + PAGE) === 0) count++;
  return count;
}
