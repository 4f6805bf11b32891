import { agent, buildRuntime, ctl, JDKS, type Jvm, launchJvm, prepare } from './jvm.ts';

beforeAll(buildRuntime, 60_000);

const OPTIONS = [agent, '-Xcheck:jni', '-XX:+PerfDisableSharedMem'];

interface Facts {
  readonly atNs: number;
  readonly compilerNs: number;
  readonly awakeCompilers: number;
  readonly compilations: number | null;
  readonly discardedCode: number | null;
  readonly loadedClasses: number | null;
  readonly collections: number | null;
  readonly collectionNs: number | null;
}

async function askFacts(jvm: Jvm, forMs = 0): Promise<readonly Facts[]> {
  const { status, stdout } = await ctl(['facts', '--for-ms', String(forMs), '--pid', String(jvm.pid)]);
  expect(status).toBe(0);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** When the compilers sleep again. */
async function settle(jvm: Jvm): Promise<Facts> {
  for (;;) {
    const samples = await askFacts(jvm, 250);
    const [first, last] = samples;
    expect(samples.length).toBe(2);
    if (last?.awakeCompilers === 0 && first?.compilerNs === last.compilerNs) return last;
  }
}

async function work(jvm: Jvm): Promise<void> {
  jvm.send('work 700');
  await jvm.line(/^worked/);
}

describe.each(JDKS)('what the JIT does, on JDK %d', (_, home) => {
  test('is seen: compilations, classes, and code that an unexpected class makes useless', async () => {
    await using jvm = launchJvm(home, 'Phases', { options: OPTIONS });
    await jvm.line(/^ready$/);
    const started = await settle(jvm);
    await work(jvm);
    const warm = await settle(jvm);
    await work(jvm);
    const stillWarm = await settle(jvm);
    jvm.send('next');
    await jvm.line(/^changed$/);
    await work(jvm);
    const again = await settle(jvm);

    expect(warm.compilations).toBeGreaterThan(started.compilations ?? Infinity);
    expect(warm.compilerNs).toBeGreaterThan(started.compilerNs);
    expect(warm.discardedCode).not.toBeNull();
    // The class was compiled against: both its caller's code, and what was replaced on stack, are thrown away.
    expect(again.discardedCode).toBeGreaterThan(stillWarm.discardedCode ?? Infinity);
    expect(again.loadedClasses).toBeGreaterThan(stillWarm.loadedClasses ?? Infinity);
    expect(again.compilations).toBeGreaterThan(stillWarm.compilations ?? Infinity);
    expect(again.atNs).toBeGreaterThan(stillWarm.atNs);
    expect(jvm.lines.join('\n')).not.toMatch(/WARNING/);
  });

  test.each(['Serial', 'Parallel', 'G1'])('%s: collections are counted', async (collector) => {
    await using jvm = launchJvm(home, 'Phases', { options: [...OPTIONS, `-XX:+Use${collector}GC`] });
    await jvm.line(/^ready$/);
    const [before] = await askFacts(jvm);
    jvm.send('collect');
    await jvm.line(/^collected$/);
    const [after] = await askFacts(jvm);
    expect(after?.collections).toBeGreaterThan(before?.collections ?? Infinity);
    expect(after?.collectionNs).toBeGreaterThan(before?.collectionNs ?? Infinity);
  });
});

const [[, home]] = JDKS as [readonly [number, string]];

test('a JVM without counters tells the rest', async () => {
  await using jvm = launchJvm(home, 'Phases', { options: [agent, '-XX:-UsePerfData'] });
  await jvm.line(/^ready$/);
  const [facts] = await askFacts(jvm);
  expect(facts).toMatchObject({ compilations: null, loadedClasses: null, collections: null, discardedCode: 0 });
  expect(facts?.compilerNs).toBeGreaterThan(0);
});

test('who looks on is in the way of no checkpoint, and is told its end', async () => {
  await using jvm = launchJvm(home, 'Restorable', { options: OPTIONS });
  await jvm.line(/^ready$/);
  const looking = ctl(['facts', '--for-ms', '20000', '--pid', String(jvm.pid)]);
  await prepare(jvm.pid);
  const { status, stdout } = await looking;
  expect(status).toBe(1);
  expect(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({
    error: expect.stringMatching(/^no JVM/),
  });
});
