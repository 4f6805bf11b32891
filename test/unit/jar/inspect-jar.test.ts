import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspectJar } from '../../../src/jar/inspect-jar.ts';
import { parseManifest } from '../../../src/jar/manifest.ts';
import { makeZip } from './make-zip.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'jar test-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

function writeJar(name: string, content: Buffer): string {
  const path = join(dir, name);
  writeFileSync(path, content);
  return path;
}

test('an executable jar', async () => {
  const zip = makeZip({
    'META-INF/MANIFEST.MF':
      'Manifest-Version: 1.0\r\nMain-Class: demo.Main\r\nClass-Path: lib/a.jar lib/b%20c.jar\r\n\r\n',
    'demo/Main.class': 'x',
  });
  const path = writeJar('app.jar', zip);
  expect(await inspectJar(path)).toEqual({
    path,
    sizeBytes: zip.length,
    mainClass: 'demo.Main',
    layout: 'plain',
    classPath: ['lib/a.jar', 'lib/b c.jar'],
  });
});

test('Class-Path entries that are not beside the jar are left out', async () => {
  const manifest =
    'Main-Class: M\nClass-Path: ../up.jar /abs.jar http://h/x.jar file:///other.jar ./same.jar conf/\n\n';
  const path = writeJar('paths.jar', makeZip({ 'META-INF/MANIFEST.MF': manifest }));
  expect((await inspectJar(path)).classPath).toEqual(['same.jar', 'conf/']);
});

test.each(['100% #1?', 'a%20b', 'c#'])('Class-Path beside a jar in a folder with the name %j', async (name) => {
  mkdirSync(join(dir, name));
  const manifest = 'Main-Class: M\nClass-Path: lib/a.jar lib/b%20c.jar ../up.jar\n\n';
  const path = writeJar(join(name, 'app.jar'), makeZip({ 'META-INF/MANIFEST.MF': manifest }));
  expect((await inspectJar(path)).classPath).toEqual(['lib/a.jar', 'lib/b c.jar']);
});

test('a jar with nested jars', async () => {
  const zip = makeZip({
    'META-INF/MANIFEST.MF': 'Main-Class: org.springframework.boot.loader.launch.JarLauncher\n\n',
    'BOOT-INF/lib/one.jar': 'PK',
  });
  expect((await inspectJar(writeJar('boot.jar', zip))).layout).toBe('nested');
});

test.each([
  ['no-zip.jar', Buffer.from('hello, I am a text'), 'INPUT_INVALID', /not a readable jar/],
  ['empty.jar', Buffer.alloc(0), 'INPUT_INVALID', /not a readable jar/],
  [
    'cut.jar',
    makeZip({ 'META-INF/MANIFEST.MF': 'Main-Class: M\n\n' }).subarray(0, -30),
    'INPUT_INVALID',
    /not a readable/,
  ],
  ['plain.zip', makeZip({ 'a.txt': 'a' }), 'INPUT_INVALID', /has no META-INF\/MANIFEST.MF/],
  ['library.jar', makeZip({ 'META-INF/MANIFEST.MF': 'Manifest-Version: 1.0\n\n' }), 'INPUT_INVALID', /no Main-Class/],
])('%s is refused', async (name, content, code, message) => {
  const path = writeJar(name, content);
  await expect(inspectJar(path)).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message),
    hint: expect.stringMatching(/jar/),
  });
});

test('a missing jar and a folder', async () => {
  await expect(inspectJar(join(dir, 'absent.jar'))).rejects.toMatchObject({ code: 'INPUT_NOT_FOUND' });
  await expect(inspectJar(dir)).rejects.toMatchObject({ code: 'INPUT_INVALID', message: `${dir} is not a file` });
});

test('manifest lines are continued, end with the main section and ignore case', () => {
  const text = 'Manifest-Version: 1.0\rMAIN-class: a.very.lo\r ng.Name\r\rName: x\rMain-Class: other\r';
  expect(parseManifest(text)).toEqual(
    new Map([
      ['manifest-version', '1.0'],
      ['main-class', 'a.very.long.Name'],
    ]),
  );
});
