import { Command } from 'commander';
import { addBuildFlags, type BuildFlags, settingsFromFlags } from '../../../src/cli/build-flags.ts';

function parse(...argv: string[]) {
  const command = addBuildFlags(new Command('build'))
    .exitOverride()
    .configureOutput({ outputError: () => {} });
  command.parse(argv, { from: 'user' });
  return settingsFromFlags(command.args[0], command.opts<BuildFlags>());
}

test('no flags, no settings', () => expect(parse()).toEqual({}));

test('what is built from, besides a jar', () => {
  expect(
    parse('--class-path', 'a.jar:lib/*', '--class-path=classes', '--main-class', 'a.B', '--no-extract').app,
  ).toEqual({
    ...{ classPath: ['a.jar', 'lib/*', 'classes'], mainClass: 'a.B', extract: false },
  });
  const flags = ['--dockerfile', 'D', '--context', '.', '--build-arg', 'A=1', '--build-arg', 'B=x=y', '--target', 't'];
  expect(parse(...flags).app).toEqual({
    dockerfile: { file: 'D', context: '.', arguments: { A: '1', B: 'x=y' }, target: 't' },
  });
});

test('every flag has the shape of its config key', () => {
  const settings = parse(
    ...['app.jar', '--name', 'n', '--base', 'jdk:/opt/jdk', '--java-option', '-Xmx1g', '--java-option=-Dx=y'],
    ...['--arg', 'a', '--arg=--b', '--env', 'A=1', '--env', 'B=x=y', '--port', '80', '--port', '81', '--user', '5:6'],
    ...['--readiness', '/up', '--warm-up', 'GET / x3', '--warm-up', '/b', '--engine', 'oci'],
    ...[
      '--trigger',
      'app',
      '--resources',
      'strict',
      '--policies',
      'rules.yaml',
      '--skip-step',
      'trim',
      '--skip-step=zero-pages',
    ],
    ...['--output', 'oci:out', '--output', 'docker:n:1', '--no-verify'],
    ...['--push', 'registry.test/n:1', '--push', 'n:2', '--insecure', 'registry.test'],
    ...['--compression', 'zstd', '--compression-level', '19'],
    ...['--warm-up-until', 'settled', '--warm-up-min', '1.5s', '--warm-up-min=x20', '--warm-up-max', '2m'],
  );
  expect(settings).toEqual({
    name: 'n',
    app: {
      jar: 'app.jar',
      javaOptions: ['-Xmx1g', '-Dx=y'],
      arguments: ['a', '--b'],
      environment: { A: '1', B: 'x=y' },
      ports: [80, 81],
      user: { uid: 5, gid: 6 },
    },
    base: { kind: 'jdk', path: '/opt/jdk' },
    engine: 'oci',
    readiness: { path: '/up' },
    warmUp: {
      requests: [
        { method: 'GET', path: '/', count: 3 },
        { method: 'GET', path: '/b' },
      ],
      until: 'settled',
      min: { duration: 1500, requests: 20 },
      max: { duration: 120_000 },
    },
    checkpoint: { trigger: 'app', resources: 'strict', policies: 'rules.yaml', skip: ['trim', 'zero-pages'] },
    verify: { enabled: false },
    image: { compression: 'zstd', compressionLevel: 19 },
    outputs: [
      { kind: 'oci', dir: 'out' },
      { kind: 'docker', reference: 'n:1' },
      { kind: 'registry', reference: 'registry.test/n:1' },
      { kind: 'registry', reference: 'n:2' },
    ],
    insecureRegistries: ['registry.test'],
  });
});

test.each([
  ['30s', { duration: 30_000 }],
  ['x1000', { requests: 1000 }],
])('a warm-up until %s', (when, until) => expect(parse('--warm-up-until', when)).toEqual({ warmUp: { until } }));

test.each([
  ['--warm-up-until', '30'],
  ['--warm-up-until', 'x0'],
  ['--warm-up-min', 'settled'],
  ['--warm-up-max', '1h'],
  ['--user', 'me'],
  ['--port', '0'],
  ['--port', '99999'],
  ['--base', 'ubuntu'],
  ['--env', 'A'],
  ['--readiness', 'up'],
  ['--warm-up', 'get /'],
  ['--output', 'registry/x'],
  ['--push', ''],
  ['--insecure', 'https://registry.test'],
  ['--engine', 'podman'],
  ['--trigger', 'me'],
  ['--resources', 'lax'],
  ['--compression', 'xz'],
  ['--compression-level', '20'],
  ['--compression-level', '0'],
  ['--unknown', 'x'],
])('%s %s is refused', (...argv) => expect(() => parse(...argv)).toThrow());

test('a step that there is not: the nearest one is named, and all', () => {
  expect(() => parse('--skip-step', 'zero-page')).toThrow(
    /There is no such step. Did you mean "zero-pages"\? There are: jit-idle, .*, dead-stacks, heap-pages, .*\.$/,
  );
});

test('what is to lie beside the image', () => {
  const flags = ['--sbom', '--no-provenance', '--sign-key', 'env://KEY', '--sign-public-key', 'key.pub'];
  expect(parse(...flags)).toEqual({
    attestations: {
      ...{ sbom: true, provenance: false, signKey: { kind: 'environment', variable: 'KEY' }, signPublicKey: 'key.pub' },
    },
  });
  expect(parse('--no-sbom', '--provenance')).toEqual({ attestations: { sbom: false, provenance: true } });
  expect(() => parse('--sign-key', 'awskms://key')).toThrow(/Expected "FILE", "env:/);
});
