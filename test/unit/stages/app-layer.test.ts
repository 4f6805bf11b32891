import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspectSource, type SourceSettings } from '../../../src/jar/inspect-source.ts';
import type { BuildPlan } from '../../../src/plan/build-plan.ts';
import { planSource } from '../../../src/plan/plan-source.ts';
import { readAppLayers } from '../../../src/stages/app-layer.ts';
import { makeZip } from '../jar/make-zip.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'app-test-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

async function readLayers(settings: SourceSettings, workingDir = '/app') {
  const { source } = planSource(await inspectSource(settings), 'my', '/app');
  const app = { source, folder: '/app', user: { uid: 10001, gid: 10002 }, workingDir } as BuildPlan['app'];
  const layers = await readAppLayers({ app, base: { kind: 'jdk' } } as BuildPlan, join(dir, 'work'));
  return layers.map(({ kind, entries }) => [
    kind,
    ...entries.map(({ type, path, mode, uid, gid }) => `${type} ${path} ${mode.toString(8)} ${uid}:${gid}`).sort(),
  ]);
}

test('the jar is of root, its folder of the app; libraries that the manifest names come along, in a layer below', async () => {
  const manifest = 'Main-Class: M\nClass-Path: lib/a.jar lib/absent.jar lib/b-1-SNAPSHOT.jar conf/\n\n';
  writeFileSync(join(dir, 'my-1.0.jar'), makeZip({ 'META-INF/MANIFEST.MF': manifest }));
  mkdirSync(join(dir, 'lib'));
  mkdirSync(join(dir, 'conf/sub'), { recursive: true });
  writeFileSync(join(dir, 'lib/a.jar'), 'a');
  writeFileSync(join(dir, 'lib/b-1-SNAPSHOT.jar'), 'b');
  writeFileSync(join(dir, 'lib/unnamed.jar'), 'u');
  writeFileSync(join(dir, 'conf/sub/x.properties'), 'x');
  expect(await readLayers({ jar: join(dir, 'my-1.0.jar') }, '/app/work')).toEqual([
    ['dependencies', 'directory app 755 10001:10002', 'directory app/lib 755 0:0', 'file app/lib/a.jar 644 0:0'],
    [
      'app',
      'directory app 755 10001:10002',
      'directory app/conf 755 0:0',
      'directory app/conf/sub 755 0:0',
      'directory app/lib 755 0:0',
      'directory app/work 755 10001:10002',
      'directory etc 755 0:0',
      'file app/conf/sub/x.properties 644 0:0',
      'file app/lib/b-1-SNAPSHOT.jar 644 0:0',
      'file app/my.jar 644 0:0',
      'file etc/group 644 0:0',
      'file etc/passwd 644 0:0',
    ],
  ]);
});

test('on a base that is an image, its folders and accounts stay, and the app’s user is added where nobody knows it', async () => {
  writeFileSync(join(dir, 'my-1.0.jar'), makeZip({ 'META-INF/MANIFEST.MF': 'Main-Class: M\n\n' }));
  const read = async (uid: number) => {
    const { source } = planSource(await inspectSource({ jar: join(dir, 'my-1.0.jar') }), 'my', '/app');
    const app = { source, folder: '/app', user: { uid, gid: 0 }, workingDir: '/app' };
    const base = {
      kind: 'image',
      passwd: 'root:x:0:0:root:/root:/bin/sh\nshop:x:4711:0::/:\n',
      group: 'root:x:0:\n',
      folders: [{ path: 'etc', mode: 0o750, uid: 0, gid: 7 }],
    };
    const layers = await readAppLayers({ app, base } as unknown as BuildPlan, join(dir, 'work'));
    return layers.flatMap(({ entries }) => entries);
  };
  const known = await read(4711);
  expect(known.map(({ path }) => path).sort()).toEqual(['app', 'app/my.jar', 'etc']);
  expect(known.find(({ path }) => path === 'etc')).toMatchObject({ mode: 0o750, gid: 7 });
  const passwd = (await read(1000)).find(({ path }) => path === 'etc/passwd');
  expect(passwd?.type === 'file' && String(passwd.content)).toBe(
    'root:x:0:0:root:/root:/bin/sh\nshop:x:4711:0::/:\napp:x:1000:0:app:/app:/sbin/nologin\n',
  );
});
