import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Checkpoint } from '../../../src/criu/checkpoint.ts';
import { openBlob } from '../../../src/oci/blob-store.ts';
import type { Layer } from '../../../src/oci/image.ts';
import type { BuildPlan } from '../../../src/plan/build-plan.ts';
import { Blob } from '../../../src/restore-plan/blob.ts';
import { NOTHING_DROPPED } from '../../../src/restore-plan/kept-pages.ts';
import type { RestoreImage } from '../../../src/restore-plan/restore-image.ts';
import { composeImage } from '../../../src/stages/compose.ts';
import { packLayers } from '../../../src/stages/pack.ts';
import { composeColdCommand, readRuntimeEntries } from '../../../src/stages/runtime-layer.ts';
import { FIXED_MTIME_SECONDS } from '../../../src/tar/entry.ts';
import { readTar, type TarHeader } from '../../../src/tar/read-tar.ts';
import type { World } from '../../../src/world.ts';
import { SAMPLE_SIZES } from '../../support/sample-sizes.ts';

let dir: string;
let world: World;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'pack-test-'));
  world = { workDir: dir, signal: new AbortController().signal, toolbox: { criuVersion: '4.2.1' } } as World;
});
afterEach(() => rmSync(dir, { recursive: true }));

const PLAN = {
  name: 'demo',
  app: { user: { uid: 10001, gid: 10002 }, workingDir: '/app', environment: { MODE: 'x' }, ports: [8080] },
  base: { javaVersion: 25 },
  image: { format: 'oci', createdSeconds: 1_700_000_000, annotations: { 'org.opencontainers.image.title': 'demo' } },
  command: { argv: ['/opt/java/bin/java', '-Xmx64m', '-jar', '/app/demo.jar', 'an argument'], jvmOptionIndex: 2 },
  checkpoint: { memory: 'map', skip: ['trim'] },
  verify: {
    answer: { kind: 'http', port: 8080, path: '/', status: 200, tls: { ca: '/here/ca.pem', insecure: false } },
  },
} as unknown as BuildPlan;

function makeCheckpoint(stateTar: string): Checkpoint {
  return {
    imagesDir: '',
    rootFile: async () => undefined,
    ready: {
      pid: 1,
      mailbox: { address: '0x1', sizeBytes: 2, nonce: '0x3' },
      nanoOffset: '0x4',
      javaVersion: '25.0.3',
      gc: 'G1',
      steps: [{ name: 'free-heap', ms: 0.2, freedBytes: 77 }],
    },
    cpu: [{ leaf: 7, subleaf: 0, registers: [1, 0xffffffff, 2, 3] }],
    stateTar,
  };
}

const NO_SECTIONS: RestoreImage['contents']['sections'] = {
  ...{ mem: [], file: [], thread: [], sigact: [], fd: [], epoll: [], time: [] },
  ...{ tidfix: [], vdso_symbol: [], cpu: [], prefetch: [], socket: [], sockopt: [] },
};

function makeRestoreImage(): RestoreImage {
  writeFileSync(join(dir, 'plan'), 'PLAN');
  writeFileSync(join(dir, 'mem'), Buffer.alloc(100_000, 'm'));
  return {
    planFile: join(dir, 'plan'),
    memFile: join(dir, 'mem'),
    planBytes: 4,
    memBytes: 100_000,
    readAheadBytes: 5000,
    populatedBytes: 3000,
    threadCount: 20,
    mappingCount: 300,
    requiredCpu: { features: ['sse2', 'avx'], because: 'chosen' },
    droppedPages: { ...NOTHING_DROPPED, zero: 1, 'equal-to-file': 2, 'dead-stack': 3, 'free-heap': 4 },
    byCause: SAMPLE_SIZES,
    allocators: ['/app/libmalloc.so'],
    carriedFiles: [],
    contents: { header: {}, sections: NO_SECTIONS, blob: new Blob(), heap: undefined, filePaths: [] },
  };
}

async function readLayer(layer: Layer | undefined): Promise<Map<string, TarHeader & { text: string }>> {
  const blob: Readable = openBlob(join(dir, 'blobs'), layer?.digest ?? '').pipe(createGunzip());
  const found = new Map<string, TarHeader & { text: string }>();
  for await (const { header, content } of readTar(blob)) {
    const chunks: Buffer[] = [];
    for await (const chunk of content) chunks.push(chunk);
    found.set(header.path, { ...header, text: Buffer.concat(chunks).toString() });
  }
  return found;
}

/** A tar as an engine gives it: in the order of `paths`, with the names as they are. */
function makeStateTar(paths: readonly string[], ...options: string[]): string {
  const tar = join(dir, 'state.tar');
  execFileSync('tar', ['-cf', tar, '--no-recursion', '-C', join(dir, 'root'), ...options, ...paths]);
  return tar;
}

describe('the state layer', () => {
  beforeEach(() => {
    mkdirSync(join(dir, 'root/tmp/cache'), { recursive: true });
    mkdirSync(join(dir, 'root/app/data'), { recursive: true });
    mkdirSync(join(dir, 'root/etc'), { recursive: true });
    mkdirSync(join(dir, 'root/opt/crac-build/dump'), { recursive: true });
    writeFileSync(join(dir, 'root/tmp/cache/b'), Buffer.alloc(200_000, 'b'), { mode: 0o640 });
    writeFileSync(join(dir, 'root/app/data/a'), 'a-content');
    symlinkSync('data/a', join(dir, 'root/app/current'));
    writeFileSync(join(dir, 'root/etc/hosts'), 'engine');
    writeFileSync(join(dir, 'root/opt/crac-build/dump/core.img'), 'secret');
    execFileSync('touch', ['-d', '2024-05-06T07:08:09.987Z', join(dir, 'root/app/data/a')]);
  });

  test('keeps owners, modes and whole seconds, sorted, without what is not of the app', async () => {
    const paths = ['./tmp/cache/b', './etc/hosts', './opt/crac-build/dump/core.img', './app/data/a', './app/current'];
    const tar = makeStateTar(paths, '--owner=10001', '--group=10002', '--format=pax');
    const [state, checkpoint, ...more] = await packLayers(PLAN, makeCheckpoint(tar), makeRestoreImage(), world);
    expect([state?.kind, checkpoint?.kind, more]).toEqual(['state', 'checkpoint', []]);
    const files = await readLayer(state);
    expect([...files.keys()]).toEqual([
      'app',
      'app/current',
      'app/data',
      'app/data/a',
      'tmp',
      'tmp/cache',
      'tmp/cache/b',
    ]);
    expect(files.get('app/data/a')).toMatchObject({
      uid: 10001,
      gid: 10002,
      mtimeSeconds: Date.parse('2024-05-06T07:08:09Z') / 1000,
      text: 'a-content',
    });
    expect(files.get('tmp/cache/b')).toMatchObject({ mode: 0o640, text: 'b'.repeat(200_000) });
    expect(files.get('app/current')).toMatchObject({ type: 'symlink', target: 'data/a' });
  });

  test('gives folders that the tar does not have the owners of the lower layers and modes', async () => {
    const [state] = await packLayers(
      PLAN,
      makeCheckpoint(makeStateTar(['tmp/cache/b', 'app/data/a'])),
      makeRestoreImage(),
      world,
    );
    const files = await readLayer(state);
    expect(files.get('tmp')).toMatchObject({ type: 'directory', mode: 0o1777, uid: 0 });
    expect(files.get('app')).toMatchObject({ type: 'directory', mode: 0o755, uid: 10001, gid: 10002 });
  });

  test('keeps whiteouts', async () => {
    writeFileSync(join(dir, 'root/app/.wh.gone'), '');
    const [state] = await packLayers(PLAN, makeCheckpoint(makeStateTar(['app/.wh.gone'])), makeRestoreImage(), world);
    expect((await readLayer(state)).get('app/.wh.gone')).toMatchObject({ type: 'file', sizeBytes: 0 });
  });

  test('is absent when nothing was written', async () => {
    const tar = makeStateTar(['etc/hosts']);
    for (const checkpoint of [makeCheckpoint(''), makeCheckpoint(tar)]) {
      const layers = await packLayers(PLAN, checkpoint, makeRestoreImage(), world);
      expect(layers.map(({ kind }) => kind)).toEqual(['checkpoint']);
    }
  });

  test('refuses what no layer can hold', async () => {
    execFileSync('mkfifo', [join(dir, 'root/tmp/pipe')]);
    const fifo = makeCheckpoint(makeStateTar(['tmp/pipe']));
    await expect(packLayers(PLAN, fifo, makeRestoreImage(), world)).rejects.toMatchObject({
      code: 'STATE_REFUSED',
      message: '/tmp/pipe is a fifo, which cannot be part of an image',
    });
  });
});

test('the checkpoint layer is fixed in time and readable by all', async () => {
  const [layer] = await packLayers(PLAN, makeCheckpoint(''), makeRestoreImage(), world);
  const files = await readLayer(layer);
  expect([...files.keys()]).toEqual([
    'opt',
    'opt/crac',
    'opt/crac/checkpoint',
    'opt/crac/checkpoint/facts.json',
    'opt/crac/checkpoint/mem.bin',
    'opt/crac/checkpoint/plan.bin',
  ]);
  for (const file of files.values()) {
    expect(file).toMatchObject({ uid: 0, gid: 0, mtimeSeconds: FIXED_MTIME_SECONDS });
    expect(file.mode).toBe(file.type === 'directory' ? 0o755 : 0o644);
  }
  expect(files.get('opt/crac/checkpoint/plan.bin')?.text).toBe('PLAN');
  expect(JSON.parse(files.get('opt/crac/checkpoint/facts.json')?.text ?? '')).toMatchObject({
    format: 1,
    gc: 'G1',
    javaVersion: '25.0.3',
    criuVersion: '4.2.1',
    coldCommand: PLAN.command,
    allocators: ['/app/libmalloc.so'],
    sizes: {
      byCause: SAMPLE_SIZES,
      droppedPages: { 'dead-stack': 3 },
      memBytes: 100_000,
      readAheadBytes: 5000,
      populatedBytes: 3000,
      threadCount: 20,
    },
    steps: [{ name: 'free-heap', ms: 0.2, freedBytes: 77 }],
    skippedSteps: ['trim'],
    cpu: ['00000007 00000000 00000001 ffffffff 00000002 00000003'],
  });
});

test('libraries that were loaded from a temporary folder lie in the checkpoint layer, with the plan’s time', async () => {
  const localPath = join(dir, 'libnative.so');
  writeFileSync(localPath, 'ELF');
  const carriedFiles = [{ imagePath: '/opt/crac/files/0123/libnative.so', localPath, sizeBytes: 3 }];
  const [checkpoint] = await packLayers(PLAN, makeCheckpoint(''), { ...makeRestoreImage(), carriedFiles }, world);
  const files = await readLayer(checkpoint);
  expect([...files.keys()]).toEqual(expect.arrayContaining(['opt/crac/files', 'opt/crac/files/0123']));
  expect(files.get('opt/crac/files/0123/libnative.so')).toMatchObject({
    ...{ text: 'ELF', mode: 0o755, uid: 0, mtimeSeconds: 0 },
  });
});

test('the cold command asks nobody for a checkpoint', () => {
  const argv = ['java', '-agentpath:/opt/crac/libcrac.so', '-Dspring.context.checkpoint=onRefresh', '-Xmx64m'];
  const command = { argv: [...argv, '-jar', '/app/a.jar', '-Dspring.context.checkpoint=onRefresh'], jvmOptionIndex: 4 };
  expect(composeColdCommand(command).toString().split('\0')).toEqual([
    ...['3', 'java', '-agentpath:/opt/crac/libcrac.so=off', '-Xmx64m'],
    ...['-jar', '/app/a.jar', '-Dspring.context.checkpoint=onRefresh', ''],
  ]);
});

test('the cold command: index, then argv, each ended by NUL', () => {
  expect(composeColdCommand(PLAN.command).toString('latin1')).toBe(
    '2\0/opt/java/bin/java\0-Xmx64m\0-jar\0/app/demo.jar\0an argument\0',
  );
});

test('the runtime layer has every part, and a missing one is an error', async () => {
  for (const name of ['restore', 'ctl', 'libcrac.so', 'crac.jar']) writeFileSync(join(dir, name), name);
  const entries = await readRuntimeEntries(PLAN, dir);
  expect(Object.fromEntries(entries.map(({ path, mode }) => [path, mode.toString(8)]))).toEqual({
    opt: '755',
    'opt/crac': '755',
    'opt/crac/cold': '644',
    'opt/crac/restore': '755',
    'opt/crac/ctl': '755',
    'opt/crac/libcrac.so': '755',
    'opt/crac/crac.jar': '644',
  });
  const policies = join(dir, 'rules.yaml');
  writeFileSync(policies, 'type: pipe\naction: close\n');
  const withPolicies = await readRuntimeEntries({ ...PLAN, checkpoint: { ...PLAN.checkpoint, policies } }, dir);
  const file = withPolicies.find(({ path }) => path === 'opt/crac/policies.yaml');
  expect(file).toMatchObject({ mode: 0o644, content: Buffer.from('type: pipe\naction: close\n') });
  rmSync(join(dir, 'ctl'));
  await expect(readRuntimeEntries(PLAN, dir)).rejects.toMatchObject({ code: 'INPUT_NOT_FOUND' });
});

test('the final image: the restorer is its entrypoint, the checkpoint its last layer', async () => {
  const layers = await packLayers(PLAN, makeCheckpoint(''), makeRestoreImage(), world);
  const below: Layer = {
    kind: 'base',
    compression: 'gzip',
    digest: 'd',
    diffId: 'i',
    sizeBytes: 1,
    uncompressedBytes: 2,
  };
  const facts = { 'dev.crac-build.java.version': '25.0.3' };
  const image = composeImage(PLAN, { blobDir: dir, layers: [below], config: {} as never }, layers, facts);
  expect(image.layers.map(({ kind }) => kind)).toEqual(['base', 'checkpoint']);
  expect(image.config).toMatchObject({
    user: '10001:10002',
    entrypoint: ['/opt/crac/restore'],
    command: [],
    workingDir: '/app',
    ports: [8080],
    environment: { MODE: 'x', JAVA_HOME: '/opt/java', LANG: 'C.UTF-8' },
    labels: image.annotations,
  });
  expect(image.annotations).toEqual({
    'org.opencontainers.image.title': 'demo',
    'dev.crac-build.version': expect.any(String),
    'dev.crac-build.java.version': '25.0.3',
    'dev.crac-build.checkpoint.diff-id': layers[0]?.diffId,
  });
  expect(image.createdSeconds).toBe(1_700_000_000);
});
