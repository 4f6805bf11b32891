import type { ImageFacts } from '../../../src/base/inspect-base.ts';
import type { Settings } from '../../../src/config/settings.ts';
import { planBuild } from '../../../src/plan/plan-build.ts';
import { nameOfImage } from '../../../src/plan/plan-image-app.ts';
import { renderPlan } from '../../../src/plan/render-plan.ts';
import { composeImageConfig } from '../../../src/stages/image-config.ts';
import { composeColdCommand } from '../../../src/stages/runtime-layer.ts';
import { jarSource } from '../../support/sample-plan.ts';

const BASE: ImageFacts = {
  source: 'registry:reg.example/team/jre:21',
  digest: 'sha256:12',
  system: 'Debian GNU/Linux 12 (bookworm)',
  jvm: { home: '/opt/jdk', version: '21.0.8', javaVersion: 21, vendor: 'Debian', hasClassArchive: false },
  layers: [],
  environment: { PATH: '/opt/jdk/bin:/bin', LANG: 'de_DE' },
  workingDir: '/',
  ports: [9090],
  labels: { a: 'base', b: 'base' },
  inherited: { otherPorts: [], volumes: ['/data'], history: [] },
  folders: [],
  passwd: '',
  group: '',
};
const JAR = jarSource('/work/orders-1.jar');
const JAVA = { argv: ['/opt/jdk/bin/java', '-Xmx1g', '-jar', '/a.jar'], kind: 'java', entrypointLength: 1 } as const;
const WRAPPER = { argv: ['/run.sh', 'serve'], kind: 'wrapper', entrypointLength: 1, suspect: '/run.sh' } as const;

const withJar = (settings: Settings = {}, base = BASE) => planBuild(settings, { source: JAR, base });
const asApp = (start: NonNullable<ImageFacts['start']>, settings: Settings = {}, base = BASE) =>
  planBuild(settings, { base: { ...base, start } });

test('a jar on an image: its JVM, its environment, and who and where it says', () => {
  const plan = withJar();
  expect(plan.command.argv[0]).toBe('/opt/jdk/bin/java');
  expect(plan.app).toMatchObject({ user: { uid: 1000, gid: 1000 }, workingDir: '/app', ports: [8080] });
  const theirs = withJar({}, { ...BASE, user: { uid: 5, gid: 6 }, workingDir: '/deploy' });
  expect(theirs.app).toMatchObject({ user: { uid: 5, gid: 6 }, workingDir: '/deploy' });
  const ours = withJar(
    { app: { user: { uid: 7, gid: 8 }, environment: { LANG: 'C' } } },
    { ...BASE, user: { uid: 5, gid: 6 } },
  );
  expect(composeImageConfig(ours, { b: 'ours' })).toMatchObject({
    user: '7:8',
    environment: { PATH: '/opt/jdk/bin:/bin', LANG: 'C' },
    ports: [8080, 9090],
    labels: { a: 'base', b: 'ours' },
    stopSignal: 'SIGTERM',
    entrypoint: ['/opt/crac/restore'],
    inherited: { volumes: ['/data'] },
  });
});

test('Docker’s media types have none for the layers of a base that are in zstd', () => {
  const layer = {
    kind: 'base',
    compression: 'gzip',
    digest: '',
    diffId: '',
    sizeBytes: 1,
    uncompressedBytes: 1,
  } as const;
  const settings: Settings = { image: { format: 'docker' }, outputs: [{ kind: 'docker', reference: 'a' }] };
  expect(withJar(settings, { ...BASE, layers: [layer] }).image.format).toBe('docker');
  const mixed = { ...BASE, layers: [layer, { ...layer, compression: 'zstd' as const }] };
  expect(() => withJar(settings, mixed)).toThrow(
    expect.objectContaining({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('registry:reg.example/team/jre:21 has layers in zstd'),
      hint: expect.stringContaining('--format oci'),
    }),
  );
  expect(withJar({ ...settings, image: { format: 'oci' } }, mixed).image.format).toBe('oci');
});

test('the plan tells of the base', () => {
  expect(renderPlan(withJar())).toContain(`base: registry:reg.example/team/jre:21, sha256:12
  system: Debian GNU/Linux 12 (bookworm), 0 layers
  Java 21.0.8 of Debian at /opt/jdk, without a class archive
`);
});

test('modules are for JDKs only', () => {
  expect(() => withJar({ modules: ['java.base'] })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
});

test('options of the base’s own environment count', () => {
  const zgc = { ...BASE, environment: { JAVA_TOOL_OPTIONS: '-XX:+UseZGC' } };
  expect(() => withJar({}, zgc)).toThrow(expect.objectContaining({ code: 'STATE_REFUSED' }));
});

test('an image that starts java: our options come before its own, and a cold start has none of them', () => {
  const { app, command, name } = asApp(JAVA, { app: { javaOptions: ['-Da=b'] } });
  expect(name).toBe('jre');
  expect(app).toMatchObject({ user: { uid: 0, gid: 0 }, workingDir: '/', ports: [9090] });
  expect(app).not.toHaveProperty('source');
  expect(command.argv.slice(0, 2)).toEqual(['/opt/jdk/bin/java', '-agentpath:/opt/crac/libcrac.so']);
  expect(command.argv.slice(-4)).toEqual(['-Da=b', '-Xmx1g', '-jar', '/a.jar']);
  expect(composeColdCommand(command).toString()).toBe('2\0/opt/jdk/bin/java\0-Da=b\0-Xmx1g\0-jar\0/a.jar\0');
});

test('what the image itself gives java counts as the user’s own', () => {
  const java = (option: string) => ({ ...JAVA, argv: ['/opt/jdk/bin/java', option, '-jar', '/a.jar'] });
  expect(() => asApp(java('-XX:+UseZGC'))).toThrow(expect.objectContaining({ code: 'STATE_REFUSED' }));
  expect(asApp(java('-Xshare:off')).command.argv.join(' ')).not.toContain('ArchiveRelocationMode');
});

test('a wrapper’s JVM gets our options from its environment, for the build alone', () => {
  const base = { ...BASE, environment: { JDK_JAVA_OPTIONS: '-Dtheir=s' } };
  const plan = asApp(WRAPPER, {}, base);
  expect(plan.command.argv).toEqual(['/run.sh', 'serve']);
  expect(plan.command.environment?.['JDK_JAVA_OPTIONS']).toMatch(/^-agentpath:\/opt\/crac\/libcrac\.so .* -Dtheir=s$/);
  expect(composeColdCommand(plan.command).toString()).toBe('2\0/run.sh\0serve\0');
  expect(composeImageConfig(plan).environment['JDK_JAVA_OPTIONS']).toBe('-Dtheir=s');
  expect(() => asApp(WRAPPER, { app: { javaOptions: ['-Xmx1g'] } })).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', hint: expect.stringContaining('app.environment') }),
  );
});

test('arguments take the place of the image’s command', () => {
  expect(asApp(WRAPPER, { app: { arguments: ['other'] } }).command.argv).toEqual(['/run.sh', 'other']);
});

test.each([
  ['oci:/images/shop:1.2', 'shop'],
  ['docker-archive:/tmp/My_Shop.tar.gz', 'my-shop'],
  ['registry:localhost:5000/team/shop@sha256:12ab', 'shop'],
  ['docker:shop', 'shop'],
])('%s is called %s', (source, name) => {
  expect(nameOfImage(source)).toBe(name);
});
