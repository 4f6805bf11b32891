import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ALL_KEYS } from '../../../src/oci/fact-keys.ts';
import type { OciImage } from '../../../src/oci/image.ts';
import { planBuild } from '../../../src/plan/plan-build.ts';
import { composeImageFacts, type FactSources } from '../../../src/stages/image-facts.ts';
import { digestConfig, readInputDigests } from '../../../src/stages/input-digests.ts';
import type { World } from '../../../src/world.ts';
import { expectGolden } from '../../support/golden.ts';
import { jarSource, SAMPLE_FACTS, samplePlan } from '../../support/sample-plan.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'facts-test-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const SOURCES = {
  made: {
    ready: { javaVersion: '25.0.3+9-LTS', gc: 'G1' },
    kernel: '6.1.0-18-amd64',
    restoreImage: { requiredCpu: { features: ['sse2', 'avx2', 'aes'], because: '' } },
    warmth: { requestCount: 957, durationMs: 3456, stopped: { reason: 'settled', why: '' } },
  },
  architecture: 'amd64',
  criuVersion: '4.2.1',
  inputs: { app: 'sha256:a', base: 'sha256:b', runtime: 'sha256:r', config: 'sha256:c', toolbox: 'sha256:t' },
} as unknown as FactSources;

test('what an image tells, each by a documented key', () => {
  const jdk = { ...SAMPLE_FACTS.jdk, vendor: 'Eclipse Adoptium' };
  const plan = planBuild({ app: { environment: { SECRET: 'not to be told' } } }, { ...SAMPLE_FACTS, jdk });
  const facts = composeImageFacts(plan, SOURCES);
  expect(Object.keys(facts).filter((key) => !ALL_KEYS.includes(key))).toEqual([]);
  const lines = Object.entries(facts).map(([key, value]) => `${key}=${value}`);
  expectGolden('image-facts.txt', `${lines.join('\n')}\n`);
  expect(lines.join()).not.toContain('not to be told');
});

test('an app that warms itself has no warm-up, and not every JDK a vendor', () => {
  const { kernel: _, ...made } = SOURCES.made;
  const facts = composeImageFacts(samplePlan(), { ...SOURCES, made: { ...made, warmth: undefined } });
  expect(Object.keys(facts).filter((key) => /warm-up|vendor|kernel/.test(key))).toEqual([]);
});

test('no key makes an engine take the image for its own checkpoint', () => {
  expect(ALL_KEYS).not.toContain('org.criu.checkpoint.container.name');
});

test('digests of the inputs follow the inputs', async () => {
  mkdirSync(join(dir, 'toolbox/lib'), { recursive: true });
  writeFileSync(join(dir, 'toolbox/lib/libc.so'), 'libc');
  const layers = [
    { kind: 'base', diffId: 'sha256:base' },
    { kind: 'app', diffId: 'sha256:app' },
    { kind: 'runtime', diffId: 'sha256:runtime' },
  ];
  const plan = samplePlan();
  const world = { toolbox: { dir: join(dir, 'toolbox') } } as World;
  const read = () => readInputDigests(plan, { layers } as unknown as OciImage, world);
  const before = await read();
  expect(before).toMatchObject({
    app: 'sha256:app',
    base: 'sha256:base',
    runtime: 'sha256:runtime',
  });
  expect(await read()).toEqual(before);
  writeFileSync(join(dir, 'toolbox/lib/libc.so'), 'libC');
  const after = await read();
  expect(after).toEqual({ ...before, toolbox: after.toolbox });
  expect(after.toolbox).not.toBe(before.toolbox);
});

test('the digest of the config knows no paths of the machine, commits or outputs', () => {
  const plan = samplePlan({ warmUp: { scenarios: [{ script: '/here/chat.ts' }] } });
  const elsewhere = planBuild(
    {
      warmUp: { scenarios: [{ script: '/there/chat.ts' }] },
      outputs: [{ kind: 'oci', dir: '/out' }],
      engine: 'docker',
    },
    {
      ...SAMPLE_FACTS,
      source: jarSource('/other/orders-1.4.2.jar'),
      jdk: { ...SAMPLE_FACTS.jdk, path: '/other' },
      revision: { commit: 'abc' },
    },
  );
  expect(digestConfig(elsewhere)).toBe(digestConfig(plan));
  expect(digestConfig(samplePlan({ app: { javaOptions: ['-Xmx1g'] } }))).not.toBe(digestConfig(samplePlan()));
});

test('the digest of the config knows no time limits', () => {
  const withLimit = (timeout: number) => samplePlan({ warmUp: { timeout }, checkpoint: { timeout } });
  expect(digestConfig(withLimit(100_000))).toBe(digestConfig(withLimit(200_000)));
});

test('no value of the environment or of a header can be guessed from the digest of the config', () => {
  const withValue = (value: string) =>
    samplePlan({
      app: { environment: { PIN: value } },
      warmUp: { requests: [{ path: '/', headers: { authorization: value } }] },
    });
  expect(digestConfig(withValue('1234'))).toBe(digestConfig(withValue('4321')));
  expect(digestConfig(withValue('1234'))).not.toBe(digestConfig(samplePlan()));
});
