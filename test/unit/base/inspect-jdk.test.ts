import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspectJdk } from '../../../src/base/inspect-jdk.ts';

let dir: string;
beforeAll(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'jdk-test-')));
});
afterAll(() => rmSync(dir, { recursive: true }));

function makeJdk(name: string, release: string | undefined, tools: readonly string[]): string {
  const path = join(dir, name);
  mkdirSync(join(path, 'bin'), { recursive: true });
  if (release !== undefined) writeFileSync(join(path, 'release'), release);
  for (const tool of tools) {
    writeFileSync(join(path, 'bin', tool), '');
    chmodSync(join(path, 'bin', tool), 0o755);
  }
  return path;
}

const RELEASE = 'IMPLEMENTOR="Eclipse Adoptium"\nJAVA_VERSION="25.0.3"\nMODULES="java.base java.logging"\n';
const TOOLS = ['java', 'jlink', 'jdeps'];

test('a JDK', async () => {
  expect(await inspectJdk(makeJdk('whole', RELEASE, TOOLS))).toEqual({
    path: join(dir, 'whole'),
    version: '25.0.3',
    javaVersion: 25,
    vendor: 'Eclipse Adoptium',
    modules: ['java.base', 'java.logging'],
  });
});

test.each([
  ['no-release', undefined, TOOLS, /has no readable file|no readable file/],
  ['no-version', 'IMPLEMENTOR="X"\n', TOOLS, /names no JAVA_VERSION/],
  ['jre', RELEASE, ['java'], /has no bin\/jlink/],
])('%s is refused', async (name, release, tools, message) => {
  await expect(inspectJdk(makeJdk(name, release, tools))).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    message: expect.stringMatching(message),
    hint: expect.any(String),
  });
});

test('nothing there', async () => {
  await expect(inspectJdk(join(dir, 'absent'))).rejects.toMatchObject({ code: 'INPUT_NOT_FOUND' });
});
