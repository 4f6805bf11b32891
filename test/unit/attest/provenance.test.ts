import { composeProvenance } from '../../../src/attest/provenance.ts';
import type { Layer } from '../../../src/oci/image.ts';
import { samplePlan } from '../../support/sample-plan.ts';

const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const layer = (kind: Layer['kind'], letter: string): Layer => ({
  ...{ kind, compression: 'gzip', digest: digest(letter), diffId: digest('0'), sizeBytes: 1, uncompressedBytes: 1 },
});

const plan = samplePlan({
  app: {
    javaOptions: ['-Xmx64m', '-Ddb.password=hunter1', '-javaagent:/x.jar=key=hunter2', '-XX:+UseSerialGC'],
    arguments: ['--token', 'hunter3'],
    environment: { API_TOKEN: 'hunter4', B: 'x' },
  },
  warmUp: {
    requests: [{ method: 'POST', path: '/login?key=hunter5', headers: { authorization: 'hunter6' }, body: 'hunter7' }],
    services: [{ name: 'db', image: 'hunter8.example/db', environment: { PW: 'hunter9' }, ports: [5432] }],
  } as never,
  attestations: { builder: 'https://shop.example/ci' },
});
const provenance = composeProvenance({
  plan,
  layers: [layer('base', 'b'), layer('app', 'a'), layer('runtime', 'c'), layer('checkpoint', 'd')],
  inputs: { 'orders.jar': digest('e') },
  jdk: { version: '17.0.15+6', vendor: 'Debian' },
  criu: { version: '4.2.1', digest: digest('f') },
  engine: 'crun 1.8.1',
  version: '1.0.0',
  startedOn: new Date(0),
  finishedOn: new Date(1000),
});

test('says what was built of what, by whom and when', () => {
  expect(provenance).toMatchObject({
    buildDefinition: {
      buildType: 'https://crac-build.dev/provenance/image/v1',
      externalParameters: { base: { javaVersion: 25 }, services: ['db'] },
      resolvedDependencies: [
        { name: 'orders.jar', digest: { sha256: 'e'.repeat(64) } },
        { name: 'jdk', uri: 'pkg:generic/openjdk@17.0.15%2B6' },
        { name: 'base layer', digest: { sha256: 'b'.repeat(64) } },
        { name: 'criu', digest: { sha256: 'f'.repeat(64) } },
      ],
    },
    runDetails: {
      builder: {
        id: 'https://shop.example/ci',
        version: { 'crac-build': '1.0.0' },
        builderDependencies: [{ name: 'runtime layer' }],
      },
      metadata: { startedOn: '1970-01-01T00:00:00.000Z', finishedOn: '1970-01-01T00:00:01.000Z' },
      byproducts: [{ name: 'app layer' }, { name: 'checkpoint layer' }],
    },
  });
});

test('tells names, and no value that may be a secret', () => {
  expect(JSON.stringify(provenance)).not.toMatch(/hunter/);
  expect(provenance).toMatchObject({
    buildDefinition: {
      externalParameters: {
        app: {
          javaOptions: ['-Xmx64m', '-Ddb.password=…', '-javaagent:…', '-XX:+UseSerialGC'],
          argumentCount: 2,
          environmentNames: ['API_TOKEN', 'B'],
        },
      },
    },
  });
});
