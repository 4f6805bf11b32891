import { composeCacheKey, type KeyFacts } from '../../../src/cache/compose-key.ts';
import type { Settings } from '../../../src/config/settings.ts';
import type { BuildPlan } from '../../../src/plan/build-plan.ts';
import { planBuild } from '../../../src/plan/plan-build.ts';
import { jarSource, SAMPLE_FACTS } from '../../support/sample-plan.ts';

const FACTS: KeyFacts = {
  builder: { version: '1.0.0', program: 'sha256:1', restore: 'sha256:2' },
  diffIds: ['sha256:base', 'sha256:app', 'sha256:runtime'],
  criu: { version: '4.2.1', programs: 'sha256:3' },
  engine: 'crun 1.8.1',
  machine: { kernel: '6.1.0', cpuFeatures: ['sse2', 'avx2'], cpus: 2, memoryMb: 8192 },
  files: { '/work/body.json': 'sha256:body', '/work/warm.ts': 'sha256:script', postgres: 'sha256:program' },
};
const SETTINGS = {
  app: { ports: [8080], environment: { MODE: 'a' } },
  readiness: { path: '/health', timeout: 30_000 },
  warmUp: {
    requests: [{ method: 'GET', path: '/orders', count: 500 }],
    scenarios: [
      { name: 'order', steps: [{ method: 'POST', path: '/orders', bodyFile: '/work/body.json' }] },
      { name: 'script', script: '/work/warm.ts' },
    ],
    services: [{ name: 'db', process: ['postgres', '-D', 'data'], ports: [5432] }],
    timeout: 100_000,
  },
};

const plan = (changes: object = {}): BuildPlan =>
  planBuild(merge(SETTINGS, changes) as unknown as Settings, SAMPLE_FACTS);
const key = (changes: object = {}, facts: Partial<KeyFacts> = {}) =>
  composeCacheKey(plan(changes), { ...FACTS, ...facts });

function merge(a: object, b: object): object {
  const merged: Record<string, unknown> = { ...a };
  for (const [name, value] of Object.entries(b)) {
    const before = merged[name];
    const isGroup = [value, before].every((one) => typeof one === 'object' && one !== null && !Array.isArray(one));
    merged[name] = isGroup ? merge(before as object, value) : value;
  }
  return merged;
}

test('the key is the same for the same inputs, in whatever order they are said', () => {
  expect(key()).toMatch(/^[0-9a-f]{64}$/);
  expect(key()).toBe(key());
  const turned = Object.fromEntries(Object.entries(plan()).toReversed()) as unknown as BuildPlan;
  expect(composeCacheKey(turned, FACTS)).toBe(key());
});

test.each<[string, object]>([
  ['name', { name: 'other' }],
  ['JVM option', { app: { javaOptions: ['-Xmx1g'] } }],
  ['argument', { app: { arguments: ['a'] } }],
  ['environment', { app: { environment: { MODE: 'b' } } }],
  ['port', { app: { ports: [8080, 8081] } }],
  ['user', { app: { user: { uid: 1, gid: 1 } } }],
  ['network', { network: 'host' }],
  ['readiness', { readiness: { path: '/ready' } }],
  ['number of requests', { warmUp: { requests: [{ method: 'GET', path: '/orders', count: 501 }] } }],
  ['scenario', { warmUp: { scenarios: undefined } }],
  ['seed', { warmUp: { seed: 2 } }],
  ['users at once', { warmUp: { concurrency: 2 } }],
  ['end of the warm-up', { warmUp: { until: { requests: 10 } } }],
  ['service', { warmUp: { services: [] } }],
  ['memory', { checkpoint: { memory: 'read' } }],
  ['settle', { checkpoint: { settle: 1 } }],
  ['resources', { checkpoint: { resources: 'strict' } }],
  ['skipped step', { checkpoint: { skip: ['collect'] } }],
  ['limit of the state', { checkpoint: { maxState: 1 } }],
  ['kept files', { checkpoint: { keep: ['/tmp/a'] } }],
  ['left out files', { checkpoint: { leaveOut: ['/app/a'] } }],
  ['compression', { image: { compression: 'zstd' } }],
  ['level', { image: { compressionLevel: 1 } }],
])('another %s gives another key', (_, changes) => expect(key(changes)).not.toBe(key()));

test.each<[string, Partial<KeyFacts>]>([
  ['crac-build', { builder: { ...FACTS.builder, program: 'sha256:other' } }],
  ['native part', { builder: { ...FACTS.builder, restore: 'sha256:other' } }],
  ['base', { diffIds: ['sha256:other', 'sha256:app', 'sha256:runtime'] }],
  ['app', { diffIds: ['sha256:base', 'sha256:other', 'sha256:runtime'] }],
  ['policies file or agent', { diffIds: ['sha256:base', 'sha256:app', 'sha256:other'] }],
  ['CRIU', { criu: { version: '4.3' } }],
  ['engine', { engine: 'runc 1.1' }],
  ['kernel', { machine: { ...FACTS.machine, kernel: '6.2.0' } }],
  ['CPU', { machine: { ...FACTS.machine, cpuFeatures: ['sse2'] } }],
  ['number of CPUs', { machine: { ...FACTS.machine, cpus: 4 } }],
  ['memory', { machine: { ...FACTS.machine, memoryMb: 4096 } }],
  ['body', { files: { ...FACTS.files, '/work/body.json': 'sha256:other' } }],
  ['script', { files: { ...FACTS.files, '/work/warm.ts': 'sha256:other' } }],
  ['program of a service', { files: { ...FACTS.files, postgres: 'sha256:other' } }],
])('another %s gives another key', (_, facts) => expect(key({}, facts)).not.toBe(key()));

test.each<[string, object]>([
  ['outputs', { outputs: [{ kind: 'docker', reference: 'orders:2' }] }],
  ['verify.timeout', { verify: { timeout: 1 } }],
  ['verify.enabled', { verify: { enabled: false } }],
  ['readiness.timeout', { readiness: { timeout: 1000 } }],
  ['warmUp.timeout', { warmUp: { timeout: 200_000 } }],
  ['checkpoint.timeout', { checkpoint: { timeout: 1000 } }],
  ['size of the cache', { cache: { maxSize: 1 } }],
])('%s: no part of the key', (_, changes) => expect(key(changes)).toBe(key()));

test('commits, the time of the build and the types of layers are no part of the key', () => {
  const facts = { ...SAMPLE_FACTS, createdSeconds: 1_700_000_000, revision: { commit: 'abc-dirty' } };
  const settings = {
    ...SETTINGS,
    outputs: [{ kind: 'registry', reference: 'r.example/a:1' }],
    image: { format: 'docker' },
  };
  expect(composeCacheKey(planBuild(settings as unknown as Settings, facts), FACTS)).toBe(key());
});

test('the base’s own configuration is part of the key, and so is a time before that of our files', () => {
  const based = (digest: string) => {
    const base = { kind: 'image', javaVersion: 25, digest };
    return composeCacheKey({ ...plan(), base } as unknown as BuildPlan, FACTS);
  };
  expect(based('sha256:a')).not.toBe(based('sha256:b'));
  const early = planBuild(SETTINGS as unknown as Settings, { ...SAMPLE_FACTS, createdSeconds: 1 });
  expect(composeCacheKey(early, FACTS)).not.toBe(key());
});

test('where jar, JDK, policies and files lie is no part of the key', () => {
  const policies = (path: string) => ({ checkpoint: { policies: path } });
  expect(key(policies('/elsewhere/a.yaml'))).toBe(key(policies('/work/a.yaml')));
  const jdk = { ...SAMPLE_FACTS.jdk, path: '/elsewhere/jdk' };
  const elsewhere = { ...SAMPLE_FACTS, source: jarSource('/elsewhere/orders-1.4.2.jar'), jdk };
  expect(composeCacheKey(planBuild(SETTINGS as unknown as Settings, elsewhere), FACTS)).toBe(key());
  const moved = JSON.parse(JSON.stringify(plan()).replaceAll('/work/body.json', '/elsewhere/body.json'));
  const files = { ...FACTS.files, '/elsewhere/body.json': 'sha256:body' };
  expect(composeCacheKey(moved, { ...FACTS, files })).toBe(key());
});
