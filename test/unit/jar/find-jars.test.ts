import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { findJar } from '../../../src/jar/find-jars.ts';
import { makeZip } from './make-zip.ts';

const EXECUTABLE = makeZip({ 'META-INF/MANIFEST.MF': 'Main-Class: M\n\n' });
const LIBRARY = makeZip({ 'META-INF/MANIFEST.MF': 'Manifest-Version: 1.0\n\n' });

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'find-jars-test-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

function put(path: string, content: Buffer = EXECUTABLE): void {
  mkdirSync(dirname(join(dir, path)), { recursive: true });
  writeFileSync(join(dir, path), content);
}

test.each([
  ['Maven', 'target/shop-1.0.jar', ['target/shop-1.0-sources.jar', 'target/original-shop-1.0.jar']],
  ['Gradle', 'build/libs/shop-1.0.jar', ['build/libs/shop-1.0-plain.jar', 'build/libs/shop-1.0-javadoc.jar']],
  ['nowhere in particular', 'shop.jar', []],
  ['a module', 'web/target/web-1.0.jar', []],
])('%s: the executable jar, not those beside it', async (_, path, others) => {
  put(path);
  for (const other of others) put(other);
  put(join(dirname(path), 'library-1.0.jar'), LIBRARY);
  expect((await findJar(dir)).path).toBe(join(dir, path));
});

test('Quarkus: the jar in quarkus-app, not the thin one', async () => {
  put('target/shop-1.0.jar', LIBRARY);
  put(
    'target/quarkus-app/quarkus-run.jar',
    makeZip({ 'META-INF/MANIFEST.MF': 'Main-Class: io.quarkus.bootstrap.runner.QuarkusEntryPoint\n\n' }),
  );
  for (const part of ['app/shop-1.0.jar', 'lib/main/a.jar', 'quarkus/quarkus-application.dat'])
    put(`target/quarkus-app/${part}`, LIBRARY);
  expect(await findJar(dir)).toMatchObject({
    path: join(dir, 'target/quarkus-app/quarkus-run.jar'),
    classPath: ['app/shop-1.0.jar', 'lib/main/a.jar', 'quarkus/quarkus-application.dat'],
  });
});

test('Quarkus without its parts is told', async () => {
  put('q.jar', makeZip({ 'META-INF/MANIFEST.MF': 'Main-Class: io.quarkus.bootstrap.runner.QuarkusEntryPoint\n\n' }));
  await expect(findJar(join(dir, 'q.jar'))).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    message: `${join(dir, 'q.jar')} needs the folder app beside it, which cannot be read`,
  });
});

test('several: all are told, and how to choose', async () => {
  put('target/a.jar');
  put('target/b.jar');
  await expect(findJar(dir)).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    message: `${dir} has 2 executable jars`,
    details: [join(dir, 'target/a.jar'), join(dir, 'target/b.jar')],
    hint: `Say which: \`crac-build init ${join(dir, 'target/a.jar')}\`.`,
  });
});

test('none: what was found instead, and where it was looked for', async () => {
  put('target/library.jar', LIBRARY);
  await expect(findJar(dir)).rejects.toMatchObject({
    code: 'INPUT_NOT_FOUND',
    message: `${dir} has no executable jar`,
    details: [
      expect.stringContaining('library.jar names no Main-Class'),
      expect.stringContaining('looked for: *.jar, target/*.jar, build/libs/*.jar'),
    ],
  });
});

test('a name that is not there', async () => {
  await expect(findJar(join(dir, 'nowhere'))).rejects.toMatchObject({ code: 'INPUT_NOT_FOUND' });
});

test('a WAR is told what to do with it', async () => {
  put('target/library.jar', LIBRARY);
  put('target/shop.war', LIBRARY);
  await expect(findJar(dir)).rejects.toMatchObject({
    code: 'INPUT_NOT_FOUND',
    hint: `A WAR needs a server: \`crac-build init --dockerfile ${join(dir, 'target/shop.war')}\` writes a Dockerfile with one.`,
  });
});
