/**
 * A heap of which the free parts were dropped, by the agent and by the compile step, is a whole one: the collector itself
 * verifies it at each collection under heavy allocation, and the checksum over all live data stays as it was.
 * CRAC_TEST_STRESS_SECONDS says how long that goes on for each JVM.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ReadyFacts } from '../../src/criu/checkpoint.ts';
import { JDKS } from '../java/jvm.ts';
import {
  askToPrepare,
  compileJava,
  dumpAndCompile,
  ended,
  eventually,
  findFreePort,
  get,
  type HostJvm,
  openWork,
  startJvm,
  startRestored,
} from './host-jvm.ts';

const { work, native } = openWork('jvm-heap-safety-test');
const classes = join(work, 'classes');
beforeAll(() => {
  compileJava('LiveGraph', classes);
  compileJava('LiveGraphApp', classes, [classes]);
}, 60_000);

const STRESS_MS = Number(process.env['CRAC_TEST_STRESS_SECONDS'] ?? 2) * 1000;
const SUM_LIMIT_MS = 30_000;
const PAGE = 4096;
/** Before the checkpoint, too, a part of what is free was in use. */
const HEAP = ['-Xms64m', '-Xmx96m'];
const VERIFY = ['-XX:+UnlockDiagnosticVMOptions', '-XX:+VerifyBeforeGC', '-XX:+VerifyAfterGC', '-Xlog:gc+verify'];
const COLLECTORS = ['Serial', 'Parallel', 'G1', 'Shenandoah'];

describe.each(JDKS)('JDK %d', (version, home) => {
  test.each(COLLECTORS)(
    '%s: live data is as before, and the collector finds no fault under heavy allocation',
    async (collector) => {
      const host: HostJvm = { home, native, dir: join(work, `${version}-${collector}`) };
      const port = await findFreePort();
      const options = [`-XX:+Use${collector}GC`, ...HEAP, ...VERIFY, '-cp', classes, 'LiveGraphApp', `${port}`];
      const jvm = startJvm(host, options);
      const sum = await eventually(() => get(port, '/sum'));
      await get(port, '/stress?300', SUM_LIMIT_MS);
      await get(port, '/garbage');
      const { answer, status } = askToPrepare(host, jvm.pid ?? 0);
      expect([status, answer.error]).toEqual([0, undefined]);
      await get(port, '/garbage'); // for the compile step
      const image = await dumpAndCompile(host, jvm, answer);
      // Nothing of Shenandoah's heap is dropped by the agent, and by the compile step only while no thread of the JVM is at work.
      if (collector !== 'Shenandoah' || image.unknownHeap === undefined)
        expect(freedHeap(answer) + image.droppedPages['free-heap'] * PAGE).toBeGreaterThan(10e6);
      else expect(image.unknownHeap).toMatch(/runs code that may be the JVM's own$/);

      const restored = startRestored(host, [], { CRAC_CHECKPOINT_TIMEOUT: '0' });
      expect(await eventually(() => get(port, '/sum', SUM_LIMIT_MS))).toBe(sum);
      const done = JSON.parse(await get(port, `/stress?${STRESS_MS}`, STRESS_MS + SUM_LIMIT_MS));
      expect(done.faults).toBe(0);
      for (const key of ['forced', 'megabytes', 'classes']) expect(done[key]).toBeGreaterThan(0);
      expect(done.collections).toBeGreaterThanOrEqual(done.forced);
      expect(await get(port, '/sum', SUM_LIMIT_MS)).toBe(sum);
      const verified = readFileSync(join(host.dir, 'restored.log'), 'utf8').match(/\[gc,verify.*Verifying/g);
      expect(verified?.length).toBeGreaterThanOrEqual(done.forced);
      restored.kill('SIGTERM');
      expect(await ended(restored)).toBe(143);
    },
    60_000 + STRESS_MS,
  );
});

/** By the agent. */
function freedHeap({ steps }: ReadyFacts): number {
  return steps.find(({ name }) => name === 'free-heap')?.freedBytes ?? 0;
}
