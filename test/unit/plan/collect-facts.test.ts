import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Settings } from '../../../src/config/settings.ts';
import { collectFacts } from '../../../src/plan/collect-facts.ts';
import { makeZip } from '../jar/make-zip.ts';

let dir: string;
let jar: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'facts-test-'));
  jar = join(dir, 'app.jar');
  writeFileSync(jar, makeZip({ 'META-INF/MANIFEST.MF': 'Main-Class: Main\n\n' }));
});
afterEach(() => rmSync(dir, { recursive: true }));

function collect(settings: Settings, environment: Readonly<Record<string, string>>) {
  const { signal } = new AbortController();
  return collectFacts(settings, environment, {
    blobDir: join(dir, 'blobs'),
    workDir: dir,
    cacheDir: join(dir, 'cache'),
    signal,
    report: () => {},
  });
}

test('a JAVA_HOME that names nothing is blamed by name', async () => {
  await expect(collect({ app: { jar } }, { JAVA_HOME: '/nowhere' })).rejects.toMatchObject({
    code: 'INPUT_NOT_FOUND',
    message: 'there is no JDK at /nowhere (found with JAVA_HOME)',
    hint: expect.stringMatching(/^Correct JAVA_HOME, or .*--base/),
  });
});

test('so is a JRE whose java is in PATH', async () => {
  const jre = join(dir, 'jre');
  mkdirSync(join(jre, 'bin'), { recursive: true });
  mkdirSync(join(dir, 'bin'));
  writeFileSync(join(jre, 'release'), 'JAVA_VERSION="17.0.1"\n');
  writeFileSync(join(jre, 'bin/java'), '', { mode: 0o755 });
  symlinkSync(join(jre, 'bin/java'), join(dir, 'bin/java'));
  await expect(collect({ app: { jar } }, { PATH: `/nowhere:${join(dir, 'bin')}` })).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    message: expect.stringMatching(/jre has no bin\/jlink \(found with PATH\)$/),
  });
});

test('what the settings name is told as it is', async () => {
  await expect(
    collect({ app: { jar }, base: { kind: 'jdk', path: '/nowhere' } }, { JAVA_HOME: dir }),
  ).rejects.toMatchObject({
    message: 'there is no JDK at /nowhere',
  });
});

test.each([
  ['a jar and a class path', { jar: 'a.jar', classPath: ['b'] }, /^a class path .* goes without a jar/],
  ['a Dockerfile and a jar', { jar: 'a.jar', dockerfile: { file: 'D' } }, /^a Dockerfile .* goes without a jar/],
  ['arguments without a Dockerfile', { dockerfile: { arguments: { A: '1' } } }, /^--build-arg and --target go with/],
] as const)('%s', async (_, app, message) => {
  await expect(collect({ app: app as never }, {})).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringMatching(message),
  });
});

test('a policies file that is not there is told before anything is made', async () => {
  const policies = join(dir, 'rules.yaml');
  await expect(collect({ app: { jar }, checkpoint: { policies } }, {})).rejects.toMatchObject({
    code: 'INPUT_NOT_FOUND',
    message: `the policies file ${policies} cannot be read`,
    hint: expect.stringContaining('--policies'),
  });
});

test('a script that is none is told before anything is made, as esbuild tells it', async () => {
  const script = join(dir, 'broken.ts');
  const read = async (text: string) => {
    writeFileSync(script, text);
    return await collect({ app: { jar }, warmUp: { scenarios: [{ script }] } }, {});
  };
  await expect(read('export default async (app) => {\n  app.request("GET"\n};\n')).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: `the script ${script} cannot be used`,
    details: [expect.stringMatching(/broken\.ts:3:1: Expected "\)" but found "\}"$/), '  };'],
  });
  await expect(read("import { a } from './gone.ts';\nexport default () => a;\n")).rejects.toMatchObject({
    details: [
      expect.stringMatching(/broken\.ts:1:19: Could not resolve ".\/gone.ts"$/),
      "  import { a } from './gone.ts';",
    ],
  });
  await expect(read('export default () => {};\n')).rejects.not.toHaveProperty('code', 'CONFIG_INVALID'); // no JDK
});

test('an image is an app by itself', async () => {
  const image = { kind: 'oci', dir: '/nowhere' } as const;
  await expect(collect({ app: { jar, image }, modules: [] }, {})).rejects.toMatchObject({
    code: 'USAGE',
    message: 'an image as the app (--image, app.image) goes without a jar (app.jar) and modules',
  });
  await expect(collect({ app: { image } }, {})).rejects.toMatchObject({
    code: 'IMAGE_INVALID',
    message: expect.stringContaining('/nowhere/oci-layout: there is no such file'),
  });
  const archive = { kind: 'docker-archive', file: '/nowhere.tar' } as const;
  await expect(collect({ app: { jar }, base: archive }, {})).rejects.toMatchObject({ code: 'INPUT_NOT_FOUND' });
});

test('SOURCE_DATE_EPOCH and the jar’s version are told; a time that is none is refused', async () => {
  const jdk = join(dir, 'jdk');
  mkdirSync(join(jdk, 'bin'), { recursive: true });
  writeFileSync(join(jdk, 'release'), 'JAVA_VERSION="25.0.3"\nIMPLEMENTOR="Somebody"\n');
  for (const tool of ['java', 'jlink', 'jdeps']) writeFileSync(join(jdk, 'bin', tool), '', { mode: 0o755 });
  writeFileSync(jar, makeZip({ 'META-INF/MANIFEST.MF': 'Main-Class: Main\nImplementation-Version: 1.4.2\n\n' }));
  const base = { kind: 'jdk', path: jdk } as const;
  const read = (time: string) => collect({ app: { jar }, base }, { SOURCE_DATE_EPOCH: time });
  expect(await read('1700000000')).toMatchObject({ createdSeconds: 1_700_000_000, source: { version: '1.4.2' } });
  expect(await read('')).not.toHaveProperty('createdSeconds');
  for (const time of ['yesterday', '-1', '1.5', '253402300800'])
    await expect(read(time)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: `SOURCE_DATE_EPOCH is "${time}", which is no time`,
    });
});
