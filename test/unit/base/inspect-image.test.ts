import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { composeFacts, type ImageUse, inspectImage } from '../../../src/base/inspect-base.ts';
import { locateBlob } from '../../../src/oci/blob-store.ts';
import { writeLayer } from '../../../src/oci/layer.ts';
import type { ReadConfig } from '../../../src/oci/read-layout.ts';
import { writeLayout } from '../../../src/oci/write-layout.ts';
import { composeFile, type TarEntry } from '../../../src/tar/entry.ts';
import { SAMPLE_CONFIG } from '../oci/sample-image.ts';
import { GLIBC, makeJdk, makeRoot } from './made-up-root.ts';

const JDK = makeJdk('opt/jdk', 'JAVA_VERSION="21.0.8"\n');
const ACCOUNTS = { 'etc/passwd': 'root:x:0:0::/:\nshop:x:4711:4712::/:\n', 'etc/group': 'root:x:0:\nteam:x:99:\n' };
const ROOT = { ...GLIBC, ...JDK, ...ACCOUNTS, etc: null, opt: null };

function facts(
  config: NonNullable<ReadConfig['config']>,
  files = {},
  history?: readonly object[],
  use: ImageUse = { as: 'base' },
) {
  const whole = {
    architecture: 'amd64',
    os: 'linux',
    config,
    rootfs: { type: 'layers' as const, diff_ids: [] },
    history,
  };
  const layers = [{ kind: 'base' }, { kind: 'base' }] as never;
  const root = makeRoot({ ...ROOT, ...files });
  return composeFacts({ digest: 'sha256:1', config: whole as ReadConfig }, root, layers, 'oci:/jre', use);
}

test('what an image on top takes over', () => {
  const found = facts({
    Env: ['PATH=/opt/jdk/bin', 'EMPTY=', 'OPTS=-Da=b'],
    User: 'shop',
    WorkingDir: '/work',
    ExposedPorts: { '9090/tcp': {}, '8080': {}, '53/udp': {} },
    Volumes: { '/data': {} },
    Labels: { a: 'b' },
    StopSignal: 'SIGINT',
    Healthcheck: { Test: ['NONE'] },
  });
  expect(found).toMatchObject({
    environment: { PATH: '/opt/jdk/bin', EMPTY: '', OPTS: '-Da=b' },
    user: { uid: 4711, gid: 4712 },
    workingDir: '/work',
    ports: [8080, 9090],
    labels: { a: 'b' },
    stopSignal: 'SIGINT',
    jvm: { home: '/opt/jdk' },
    inherited: { otherPorts: ['53/udp'], volumes: ['/data'], healthcheck: { Test: ['NONE'] } },
    folders: [{ path: 'opt' }, { path: 'etc' }],
  });
});

test.each([
  ['', undefined],
  ['17', { uid: 17, gid: 0 }],
  ['4711', { uid: 4711, gid: 4712 }],
  ['shop:team', { uid: 4711, gid: 99 }],
  ['0:5', { uid: 0, gid: 5 }],
])('the user %s', (user, expected) => {
  expect(facts({ User: user }).user).toEqual(expected);
});

test('a user whom nobody knows', () => {
  expect(() => facts({ User: 'ghost' })).toThrow(
    expect.objectContaining({ code: 'INPUT_INVALID', message: expect.stringContaining('run as ghost') }),
  );
});

test('a user whom nobody knows, and who is not to run', () => {
  const use = { as: 'base', hasOtherUser: true } as const;
  expect(facts({ User: 'ghost' }, {}, undefined, use)).not.toHaveProperty('user');
  expect(facts({ User: 'shop' }, {}, undefined, use).user).toEqual({ uid: 4711, gid: 4712 });
});

test('the JVM of an app is the one that it starts, whatever JAVA_HOME says', () => {
  const files = makeJdk('srv/jre', 'JAVA_VERSION="25.0.1"\n');
  const config = { Env: ['JAVA_HOME=/opt/jdk', 'PATH=/opt/jdk/bin'], Cmd: ['-jar', 'a.jar'], WorkingDir: '/srv' };
  const started = (program: string) =>
    facts({ ...config, Entrypoint: [program] }, files, undefined, { as: 'app' }).jvm.home;
  expect(started('/srv/jre/bin/java')).toBe('/srv/jre');
  expect(started('jre/bin/java')).toBe('/srv/jre');
  expect(started('java')).toBe('/opt/jdk');
  expect(facts({ ...config, Entrypoint: ['/srv/jre/bin/java'] }, files).jvm.home).toBe('/opt/jdk');
});

test('history is kept where it tells of these layers', () => {
  const known = [{ created_by: 'a' }, { created_by: 'b', empty_layer: true }, { created_by: 'c' }];
  expect(facts({}, {}, known).inherited.history).toEqual(known);
  expect(facts({}, {}, [{ created_by: 'a' }]).inherited.history).toHaveLength(2);
});

test.each([
  ['an image that crac-build made', { 'opt/crac/restore': 'x' }, /was made by crac-build/],
  ['a link where our folders come', { opt: '-> usr/opt' }, /\/opt of oci:\/jre is no folder, but a symlink/],
])('%s is refused', (_, files, words) => {
  expect(() => facts({}, files)).toThrow(
    expect.objectContaining({ code: 'INPUT_INVALID', message: expect.stringMatching(words) }),
  );
});

describe('a whole image', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'image-test-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  async function inspect(
    architecture: 'amd64' | 'arm64',
    damage: (path: string) => void = () => {},
    { signal, report = () => {} }: { signal: AbortSignal; report?: () => void } = new AbortController(),
  ) {
    const entries: TarEntry[] = Object.entries({ ...GLIBC, ...JDK }).map(([path, content]) =>
      composeFile(path, Buffer.from(content ?? ''), path.endsWith('java') ? 0o755 : 0o644),
    );
    const blobDir = join(dir, 'blobs');
    const layer = await writeLayer(blobDir, 'base', entries);
    const layout = join(dir, 'layout');
    await writeLayout({ blobDir, layers: [layer], config: { ...SAMPLE_CONFIG, architecture } }, layout, 'latest');
    damage(locateBlob(join(layout, 'blobs'), layer.digest));
    return await inspectImage(
      { kind: 'oci', dir: layout },
      `oci:${layout}`,
      { as: 'base' },
      {
        blobDir: join(dir, 'mine'),
        cacheDir: join(dir, 'cache'),
        workDir: dir,
        compression: { compression: 'gzip', compressionLevel: 6 },
        environment: {},
        insecureHosts: [],
        signal,
        report,
      },
    );
  }

  test('is read once, and its layers are told with their sizes', async () => {
    const { jvm, layers } = await inspect('amd64');
    expect(jvm).toMatchObject({ home: '/opt/jdk', javaVersion: 21, hasClassArchive: true });
    expect(layers).toHaveLength(1);
    expect(layers[0]?.uncompressedBytes).toBeGreaterThan(1000);
  });

  test('whose reading is interrupted leaves nothing that is not whole', async () => {
    const controller = new AbortController();
    const interrupted = inspect('amd64', undefined, { signal: controller.signal, report: () => controller.abort() });
    await expect(interrupted).rejects.toMatchObject({ name: 'AbortError' });
    expect(readdirSync(join(dir, 'mine/sha256')).filter((name) => !/^[0-9a-f]{64}$/.test(name))).toEqual([]);
  });

  test('for another platform is refused', async () => {
    await expect(inspect('arm64')).rejects.toMatchObject({
      code: expect.stringMatching(/INPUT_INVALID|IMAGE_INVALID/),
    });
  });

  test('with a byte that was changed is refused, wherever it is', async () => {
    for (const at of [30, -20]) {
      const change = (path: string) => {
        const bytes = readFileSync(path);
        const place = at < 0 ? bytes.length + at : at;
        bytes[place] = (bytes[place] ?? 0) ^ 1;
        writeFileSync(path, bytes);
      };
      await expect(inspect('amd64', change)).rejects.toMatchObject({
        code: 'IMAGE_INVALID',
        hint: 'The image is damaged: fetch or copy it again.',
      });
      rmSync(join(dir, 'layout'), { recursive: true });
      rmSync(join(dir, 'mine'), { recursive: true });
    }
  });
});
