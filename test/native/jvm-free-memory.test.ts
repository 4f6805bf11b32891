/** Free memory outside of the Java heap is left out, and the JVM goes on taking and giving back native memory, code and classes. */
import { execFileSync } from 'node:child_process';
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

const { work, native } = openWork('jvm-free-memory-test');
const classes = join(work, 'classes');
beforeAll(() => compileJava('ChurnApp', classes), 60_000);

test.each([17, 25] as const)(
  'JDK %d: free chunks of malloc and free code are gone; both are taken again after the restore',
  async (version) => {
    const host: HostJvm = { home: HOMES[version], native, dir: join(work, `${version}`) };
    const port = await findFreePort();
    // Until JDK 20 a thread sweeps thrown away code together, seldom where there is so little of it.
    const sweeping = version === 17 ? ['-XX:SweeperThreshold=0.001', '-XX:StartAggressiveSweepingAt=99'] : [];
    const options = ['-XX:+UseParallelGC', ...sweeping, '-cp', classes, 'ChurnApp', `${port}`];
    const jvm = startJvm(host, options);
    await eventually(() => get(port, '/keep'));
    const before = [await get(port, '/code'), await get(port, '/malloc')];
    const { answer, status } = askToPrepare(host, jvm.pid ?? 0);
    expect([status, answer.error]).toEqual([0, undefined]);
    for (const path of ['/keep', '/code', '/malloc', '/idle']) await get(port, path); // after the agent has trimmed
    const image = await dumpAndCompile(host, jvm, answer);
    expect([image.unknownCode, image.unknownArenas, image.unknownMalloc]).toEqual([undefined, undefined, undefined]);
    expect(image.droppedPages['free-malloc']).toBeGreaterThan(100);
    expect(image.droppedPages.duplicate).toBeGreaterThan(10); // cards
    expect(image.droppedPages['free-code']).toBeGreaterThan(10);
    expect(image.droppedPages['free-arena']).toBeGreaterThan(10);

    const restored = startRestored(host, [], { CRAC_CHECKPOINT_TIMEOUT: '0' });
    expect(await eventually(() => get(port, '/code'))).toBe(before[0]);
    for (let round = 0; round < 3; round++)
      expect([await get(port, '/code'), await get(port, '/malloc')]).toEqual(before);
    expect(await get(port, '/keep')).toBe('3');
    restored.kill('SIGTERM');
    expect(await ended(restored)).toBe(143);
  },
  60_000,
);

test.each([17, 25] as const)(
  'JDK %d: small free chunks of metaspace are gone; classes are loaded into them and unloaded after the restore',
  async (version) => {
    const host: HostJvm = { home: HOMES[version], native, dir: join(work, `classes-${version}`) };
    const port = await findFreePort();
    const jvm = startJvm(host, ['-XX:+UseSerialGC', '-cp', classes, 'ChurnApp', `${port}`]);
    const before = await eventually(() => get(port, '/classes'));
    const { answer, status } = askToPrepare(host, jvm.pid ?? 0);
    expect([status, answer.error]).toEqual([0, undefined]);
    expect([await get(port, '/classes'), await get(port, '/idle')]).toEqual([before, 'idle']);
    const image = await dumpAndCompile(host, jvm, answer);
    expect(image.unknownMetaspace).toBeUndefined();
    expect(image.droppedPages['free-metaspace']).toBeGreaterThan(200);

    const restored = startRestored(host, [], { CRAC_CHECKPOINT_TIMEOUT: '0' });
    expect(await eventually(() => get(port, '/classes'))).toBe(before);
    for (let round = 0; round < 3; round++) expect(await get(port, '/classes')).toBe(before);
    expect(
      execFileSync(join(host.home, 'bin/jcmd'), [`${restored.pid}`, 'VM.metaspace'], { encoding: 'utf8' }),
    ).toMatch(/^num_inconsistent_stats: 0\.$/m);
    restored.kill('SIGTERM');
    expect(await ended(restored)).toBe(143);
  },
  60_000,
);
