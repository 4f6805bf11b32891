/** How large the checkpoint of plain-http is: sizes, no timings, so all JVMs of one JDK are warmed up side by side. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type CheckpointSize, measureCheckpoint } from '../../bench/measure-checkpoint.ts';
import { planApp, writeConfig } from '../../bench/measured-app.ts';
import { compileTaken, takeDumps } from '../../bench/take-dumps.ts';
import { openToolbox } from '../../src/criu/toolbox.ts';
import type { ServerPlan } from '../../src/plan/build-plan.ts';
import type { Toolbox } from '../../src/world.ts';
import { JDKS } from '../java/jvm.ts';
import { PLAIN_HTTP } from './support/build-example.ts';
import { SIZE_LIMITS } from './support/size-limits.ts';

const COLLECTORS = ['Serial', 'Parallel', 'G1'] as const;
const HEAP = '-Xmx128m';

interface Variant {
  readonly heap: string;
  /** Asked last in the warm-up. */
  readonly request?: string;
  readonly expect: (size: CheckpointSize, plain: CheckpointSize) => void;
}

const GARBAGE: Variant = {
  heap: HEAP,
  request: '/garbage?seconds=10&mb=200',
  expect: ({ rawBytes }, plain) => expect(rawBytes / plain.rawBytes).toBeLessThanOrEqual(1.1),
};
const LARGE_HEAP: Variant = {
  heap: '-Xmx4g',
  expect: ({ rawBytes }, plain) => expect(rawBytes / plain.rawBytes).toBeLessThanOrEqual(1.05),
};
/** 96 × 1024 arrays of 1016 bytes. */
const LIVE_BYTES = 100e6;
const LIVE: Variant = {
  heap: '-Xmx256m',
  request: '/keep?mb=96',
  expect: ({ rawBytes }) => {
    expect(rawBytes).toBeGreaterThan(LIVE_BYTES);
    expect(rawBytes).toBeLessThanOrEqual(LIVE_BYTES + SIZE_LIMITS.rawBytes);
  },
};
/** Each of them with every collector, on one JDK. */
const VARIANTS: Readonly<Record<number, readonly [name: string, Variant]>> = {
  17: ['after 10 s of 200 MB garbage a second it is at most 10 % larger', GARBAGE],
  21: ['with a heap that may grow to 4 GB it is at most 5 % larger', LARGE_HEAP],
  25: ['of 100 MB of live data it holds no more than that and its usual size', LIVE],
};

let dir: string;
let toolbox: Toolbox;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'crac-e2e-size-'));
  await promisify(execFile)(join(PLAIN_HTTP, 'build'));
  const cacheDir = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'crac-build');
  toolbox = await openToolbox({ criu: undefined, dir: undefined, cacheDir, signal: new AbortController().signal });
}, 60_000);
afterAll(async () => rm(dir, { recursive: true, force: true }));

describe.each(JDKS)('the checkpoint of plain-http with JDK %d', (version, home) => {
  const [name, variant] = VARIANTS[version] ?? ['with another heap', LARGE_HEAP];
  const plain = new Map<string, CheckpointSize>();
  const varied = new Map<string, CheckpointSize>();

  beforeAll(async () => {
    const measure = async (collector: string, { heap, request }: Pick<Variant, 'heap' | 'request'>) => {
      const workDir = await mkdtemp(join(dir, collector));
      const config = request === undefined ? undefined : await writeConfig(workDir, request);
      const plan = await planApp({ base: `jdk:${home}`, javaOptions: [heap, `-XX:+Use${collector}GC`] }, config);
      return await takeAndMeasure(plan, join(workDir, 'dumps'));
    };
    await Promise.all(
      COLLECTORS.flatMap((collector) => [
        measure(collector, { heap: HEAP }).then((size) => plain.set(collector, size)),
        measure(collector, variant).then((size) => varied.set(collector, size)),
      ]),
    );
  }, 240_000);

  test.each(COLLECTORS)('%s: is within its limits', (collector) => {
    const { rawBytes = Number.NaN, compressedBytes = Number.NaN } = plain.get(collector) ?? {};
    expect(rawBytes).toBeLessThanOrEqual(SIZE_LIMITS.rawBytes);
    expect(compressedBytes).toBeLessThanOrEqual(SIZE_LIMITS.compressedBytes);
  });

  test.each(COLLECTORS)(`%s: ${name.replaceAll('%', '%%')}`, (collector) => {
    const [size, usual] = [varied.get(collector), plain.get(collector)];
    if (size === undefined || usual === undefined) throw new Error('was not measured');
    variant.expect(size, usual);
  });
});

async function takeAndMeasure(plan: ServerPlan, workDir: string): Promise<CheckpointSize> {
  const [dump] = await takeDumps(plan, toolbox, workDir, [[]]);
  if (dump === undefined) throw new Error('no dump was taken');
  const image = await compileTaken(dump, [], join(workDir, 'compiled'));
  const size = await measureCheckpoint(image);
  await rm(workDir, { recursive: true });
  return size;
}
