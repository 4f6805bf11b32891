import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

test('a JAVA_HOME that names nothing is blamed by name', async () => {
  await expect(collectFacts({ app: { jar } }, { JAVA_HOME: '/nowhere' })).rejects.toMatchObject({
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
  await expect(collectFacts({ app: { jar } }, { PATH: `/nowhere:${join(dir, 'bin')}` })).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    message: expect.stringMatching(/jre has no bin\/jlink \(found with PATH\)$/),
  });
});

test('what the settings name is told as it is', async () => {
  await expect(collectFacts({ app: { jar }, base: '/nowhere' }, { JAVA_HOME: dir })).rejects.toMatchObject({
    message: 'there is no JDK at /nowhere',
  });
});

test('a policies file that is not there is told before anything is made', async () => {
  const policies = join(dir, 'rules.yaml');
  await expect(collectFacts({ app: { jar }, checkpoint: { policies } }, {})).rejects.toMatchObject({
    code: 'INPUT_NOT_FOUND',
    message: `the policies file ${policies} cannot be read`,
    hint: expect.stringContaining('--policies'),
  });
});

test('a script that is none is told before anything is made, as esbuild tells it', async () => {
  const script = join(dir, 'broken.ts');
  const collect = async (text: string) => {
    writeFileSync(script, text);
    return await collectFacts({ app: { jar }, warmUp: { scenarios: [{ script }] } }, {});
  };
  await expect(collect('export default async (app) => {\n  app.request("GET"\n};\n')).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: `the script ${script} cannot be used`,
    details: [expect.stringMatching(/broken\.ts:3:1: Expected "\)" but found "\}"$/), '  };'],
  });
  await expect(collect("import { a } from './gone.ts';\nexport default () => a;\n")).rejects.toMatchObject({
    details: [
      expect.stringMatching(/broken\.ts:1:19: Could not resolve ".\/gone.ts"$/),
      "  import { a } from './gone.ts';",
    ],
  });
  await expect(collect('export default () => {};\n')).rejects.not.toHaveProperty('code', 'CONFIG_INVALID'); // no JDK
});

test('SOURCE_DATE_EPOCH and the jar’s version are told; a time that is none is refused', async () => {
  const jdk = join(dir, 'jdk');
  mkdirSync(join(jdk, 'bin'), { recursive: true });
  writeFileSync(join(jdk, 'release'), 'JAVA_VERSION="25.0.3"\nIMPLEMENTOR="Somebody"\n');
  for (const tool of ['java', 'jlink', 'jdeps']) writeFileSync(join(jdk, 'bin', tool), '', { mode: 0o755 });
  writeFileSync(jar, makeZip({ 'META-INF/MANIFEST.MF': 'Main-Class: Main\nImplementation-Version: 1.4.2\n\n' }));
  const collect = (time: string) => collectFacts({ app: { jar }, base: jdk }, { SOURCE_DATE_EPOCH: time });
  expect(await collect('1700000000')).toMatchObject({ createdSeconds: 1_700_000_000, jar: { version: '1.4.2' } });
  expect(await collect('')).not.toHaveProperty('createdSeconds');
  for (const time of ['yesterday', '-1', '1.5', '253402300800'])
    await expect(collect(time)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: `SOURCE_DATE_EPOCH is "${time}", which is no time`,
    });
});
