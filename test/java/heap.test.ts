import { readFileSync } from 'node:fs';
import type { AddressRange } from '../../src/criu/checkpoint.ts';
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

/** Protection and file of each mapping that overlaps a range. */
function kindsOf(pid: number, range: AddressRange | null | undefined): readonly string[] {
  const start = Number(range?.address);
  const end = start + (range?.sizeBytes ?? 0);
  return readFileSync(`/proc/${pid}/maps`, 'utf8')
    .trimEnd()
    .split('\n')
    .flatMap((line) => {
      const [place = '', protection = '', , , , path = ''] = line.split(/ +/);
      const [from = 0, to = 0] = place.split('-').map((text) => Number.parseInt(text, 16));
      return from < end && to > start ? [`${protection} ${path.slice(path.lastIndexOf('/') + 1)}`.trim()] : [];
    });
}

/** Of a range: what may be written to. */
function committedBytes(pid: number, range: AddressRange | null | undefined): number {
  const start = Number(range?.address);
  const end = start + (range?.sizeBytes ?? 0);
  const areas = readFileSync(`/proc/${pid}/maps`, 'utf8').matchAll(/^([0-9a-f]+)-([0-9a-f]+) rw/gm);
  return [...areas]
    .map(([, from, to]) => [Number(`0x${from}`), Number(`0x${to}`)] as const)
    .filter(([from]) => from >= start && from < end)
    .reduce((sum, [from, to]) => sum + to - from, 0);
}

/** Of a range: anonymous and resident. */
function bytesWithin(pid: number, range: AddressRange | null | undefined): number {
  const start = Number(range?.address);
  const end = start + (range?.sizeBytes ?? 0);
  const areas = readFileSync(`/proc/${pid}/smaps`, 'utf8').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
  return areas.reduce((sum, area) => {
    const at = Number.parseInt(area, 16);
    return sum + (at >= start && at < end ? 1024 * Number(/^Anonymous: +(\d+)/m.exec(area)?.[1]) : 0);
  }, 0);
}

test.each(cases)('JDK %d, %s: no garbage stays because what lives is not worth moving', async (_, collector, home) => {
  await using jvm = launchJvm(home, 'Fragmented', {
    options: [agent, `-XX:+Use${collector}GC`, '-Xms512m', '-Xmx512m'],
  });
  await jvm.line(/^ready$/);
  const ready = await prepare(jvm.pid);
  const { top = [], bytes = 0 } = ready.classes ?? {};
  expect(top).toHaveLength(20);
  expect(top[0]).toEqual({ name: 'byte[]', instances: expect.any(Number), bytes: expect.any(Number) });
  expect(top[0]?.instances).toBeGreaterThan(30 << 10);
  expect(top.map(({ name }) => name)).toContain('java.lang.Object[]');
  expect(top.reduce((sum, each) => sum + each.bytes, 0)).toBeLessThanOrEqual(bytes);
  expect(bytes).toBeLessThan(36 * MEGABYTE);
  // 30 MiB of arrays with their headers, and what a JVM has anyway
  expect(bytesWithin(jvm.pid, ready.heap)).toBeLessThan(36 * MEGABYTE);
  await ctl(['resume', ready.mailbox.address, '--pid', String(jvm.pid)]);
  jvm.send('check');
  await jvm.line(/^sound$/);
});

test.each(JDKS)('JDK %d: Serial gives all of what it needs no more back, not a tenth of it', async (_, home) => {
  await using jvm = launchJvm(home, 'Shrinking', { options: [agent, '-XX:+UseSerialGC', '-Xms16m', '-Xmx1g'] });
  await jvm.line(/^ready$/);
  const ready = await prepare(jvm.pid);
  expect(committedBytes(jvm.pid, ready.heap)).toBeLessThan(100 * MEGABYTE);
});

test('a step that is skipped frees nothing, and what the others free adds up', async () => {
  const [[, home]] = JDKS as [readonly [number, string]];
  await using jvm = launchJvm(home, 'Churn', {
    options: [agent, '-XX:+UseSerialGC', '-Xms128m', '-Xmx128m', '-Xmn64m'],
  });
  await jvm.line(/^ready$/);
  jvm.send('pause');
  await jvm.line(/^paused$/);
  for (const flags of [['--skip', 'free-heap'], []]) {
    const before = anonymousBytes(jvm.pid);
    const { steps, mailbox } = await prepare(jvm.pid, ...flags);
    const freed = before - anonymousBytes(jvm.pid);
    const told = steps.reduce((sum, { freedBytes }) => sum + freedBytes, 0);
    expect(Math.abs(told - freed)).toBeLessThan(MEGABYTE);
    expect(freed > 20 * MEGABYTE).toBe(flags.length === 0);
    await ctl(['resume', mailbox.address, '--pid', String(jvm.pid)]);
  }
});

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
      expect(ready.jvmMemory).toEqual({
        codeCache: { address: expect.stringMatching(/^0x7\w{11}$/), sizeBytes: expect.any(Number) },
        metaspace: expect.any(Array),
      });
      expect(kindsOf(jvm.pid, ready.jvmMemory?.codeCache)).toContain('rwxp');
      // class space, archive and other metadata: memory of nothing else
      const metaspace = ready.jvmMemory?.metaspace.map((range) => kindsOf(jvm.pid, range)) ?? [];
      expect(metaspace.filter((kinds) => kinds.includes('rw-p classes.jsa')).length).toBeGreaterThan(0);
      expect(metaspace.filter((kinds) => kinds.includes('rw-p')).length).toBeGreaterThan(0);
      expect(metaspace.flat().filter((kind) => !/^(rw-p|---p)( classes\.jsa)?$/.test(kind))).toEqual([]);
      expect(ready.steps.find(({ name }) => name === 'free-heap')?.freedBytes).toBeGreaterThan(20 * MEGABYTE);
      if (pace === 'paused') expect(before - after).toBeGreaterThan(20 * MEGABYTE);
      for (let look = 0; look < 2; look++) {
        jvm.send('check');
        await jvm.line(/^sound$/);
        if (look === 0) await ctl(['resume', ready.mailbox.address, '--pid', String(jvm.pid)]);
      }
    }
  },
);
