import { agent, anonymousBytes, buildRuntime, ctl, JDKS, launchJvm, prepare } from './jvm.ts';

beforeAll(buildRuntime, 60_000);

const MEGABYTE = 1 << 20;
const VERIFY = [
  '-XX:+UnlockDiagnosticVMOptions',
  '-XX:+VerifyBeforeGC',
  '-XX:+VerifyAfterGC',
  '-Xlog:disable',
  '-Xlog:gc+heap+coops=debug',
];
const cases = JDKS.flatMap(([version, home]) =>
  ['Serial', 'G1', 'Parallel'].map((collector) => [version, collector, home] as const),
);

test.each(cases)(
  'JDK %d, %s: the free heap goes back to the kernel and the heap stays sound',
  async (_, collector, home) => {
    // a fixed young generation: collections, each verified twice, are not more frequent than needed
    const options = [agent, `-XX:+Use${collector}GC`, '-Xms128m', '-Xmx128m', '-Xmn64m', ...VERIFY];
    await using jvm = launchJvm(home, 'Churn', { options });
    const [, heapAddress] = /Heap address: 0x0*(\w+), size: 128 MB/.exec(await jvm.line(/Heap address/)) ?? [];
    await jvm.line(/^ready$/);
    for (const pace of ['churning', 'paused']) {
      if (pace === 'paused') {
        jvm.send('pause');
        await jvm.line(/^paused$/);
      }
      const before = anonymousBytes(jvm.pid);
      const ready = await prepare(jvm.pid);
      const after = anonymousBytes(jvm.pid);
      expect(ready.gc).toBe(collector);
      expect(ready.heap).toEqual({ address: `0x${heapAddress}`, sizeBytes: 128 * MEGABYTE });
      expect(ready.droppedBytes).toBeGreaterThan(20 * MEGABYTE);
      if (pace === 'paused') expect(before - after).toBeGreaterThan(20 * MEGABYTE);
      for (let look = 0; look < 2; look++) {
        jvm.send('check');
        await jvm.line(/^sound$/);
        if (look === 0) await ctl(['resume', ready.mailbox.address, '--pid', String(jvm.pid)]);
      }
    }
  },
);
