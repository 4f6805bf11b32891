import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine, LoadedImage } from '../../../src/engine/engine.ts';
import { CracBuildError } from '../../../src/errors.ts';
import type { OciImage } from '../../../src/oci/image.ts';
import { validateLayout } from '../../../src/oci/validate.ts';
import type { BuildPlan, Output } from '../../../src/plan/build-plan.ts';
import { checkOutputs, publishImage } from '../../../src/stages/publish.ts';
import type { World } from '../../../src/world.ts';
import { makeSampleImage } from '../oci/sample-image.ts';

const ACCESS = { environment: {}, insecureHosts: [], signal: new AbortController().signal };

let dir: string;
let image: OciImage;
/** What the engine has: references, with whether they were kept. */
let loaded: Map<string, { kept: boolean }>;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'publish-test-'));
  image = await makeSampleImage(join(dir, 'work'));
  loaded = new Map();
});
afterEach(() => rmSync(dir, { recursive: true }));

function fakeEngine(name: Engine['name'], broken?: string): Engine {
  return {
    name,
    description: `${name} 1.0`,
    layerCompressions: ['gzip'],
    loadImage: async (_image, reference): Promise<LoadedImage> => {
      if (reference === broken) throw new CracBuildError('ENGINE_FAILED', 'the engine says no');
      const state = { kept: false };
      loaded.set(reference, state);
      return {
        reference,
        keep: () => {
          state.kept = true;
        },
        [Symbol.asyncDispose]: async () => {
          if (!state.kept) loaded.delete(reference);
        },
      };
    },
    launchContainer: () => Promise.reject(new Error('not asked for')),
    launchProcess: () => Promise.reject(new Error('not asked for')),
    obtainImage: () => Promise.reject(new Error('not asked for')),
    openNetwork: () => Promise.reject(new Error('not asked for')),
  };
}

function publish(outputs: readonly Output[], engine: Engine) {
  const world = { engine, signal: new AbortController().signal } as World;
  return publishImage({ outputs, insecureRegistries: [] as readonly string[] } as BuildPlan, image, world);
}

test('an oci output and a docker output', async () => {
  const out = join(dir, 'out');
  const outputs: Output[] = [
    { kind: 'oci', dir: out },
    { kind: 'docker', reference: 'demo' },
  ];
  const built = await publish(outputs, fakeEngine('docker'));
  expect(await validateLayout(out)).toEqual([]);
  expect([...loaded]).toEqual([['demo:latest', { kept: true }]]);
  expect(built.references).toEqual([`oci:${out}`, 'docker:demo']);
  expect(built.sizeBytes).toBe(image.layers.reduce((sum, layer) => sum + layer.sizeBytes, 0));
  expect(built.layers.map(({ kind }) => kind)).toEqual(['base', 'app']);
  expect(built.digest).toBe(JSON.parse(JSON.stringify(built)).digest);
  expect(readdirSync(join(out, 'blobs/sha256'))).toContain(built.digest.slice('sha256:'.length));
});

test('docker: needs Docker', async () => {
  await expect(publish([{ kind: 'docker', reference: 'demo' }], fakeEngine('oci'))).rejects.toMatchObject({
    code: 'PUBLISH_FAILED',
    hint: expect.stringContaining('oci:'),
  });
});

test('nothing stays in the engine when another output fails', async () => {
  writeFileSync(join(dir, 'file'), 'in the way');
  const outputs: Output[] = [
    { kind: 'docker', reference: 'demo:1' },
    { kind: 'oci', dir: join(dir, 'file') },
  ];
  await expect(publish(outputs, fakeEngine('docker'))).rejects.toMatchObject({ code: 'PUBLISH_FAILED' });
  expect([...loaded]).toEqual([]);
});

test('no folder is written when the engine refuses', async () => {
  const outputs: Output[] = [
    { kind: 'oci', dir: join(dir, 'out') },
    { kind: 'docker', reference: 'demo:1' },
    { kind: 'docker', reference: 'demo:2' },
  ];
  await expect(publish(outputs, fakeEngine('docker', 'demo:2'))).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
  expect([...loaded]).toEqual([]);
  expect(readdirSync(dir)).toEqual(['work']);
});

test('a reference that is none is refused before anything is done', async () => {
  await expect(publish([{ kind: 'docker', reference: 'No Good' }], fakeEngine('docker'))).rejects.toMatchObject({
    code: 'USAGE',
  });
});

test('outputs that cannot be written are known before anything is made', async () => {
  const engine = fakeEngine('docker');
  writeFileSync(join(dir, 'file'), 'in the way');
  mkdirSync(join(dir, 'full'));
  writeFileSync(join(dir, 'full/precious'), 'not ours');
  for (const name of ['file', 'full']) {
    await expect(checkOutputs([{ kind: 'oci', dir: join(dir, name) }], engine, ACCESS)).rejects.toMatchObject({
      code: 'PUBLISH_FAILED',
      message: expect.stringContaining(`${join(dir, name)} exists and is no`),
    });
  }
  await expect(checkOutputs([{ kind: 'docker', reference: 'No Good' }], engine, ACCESS)).rejects.toMatchObject({
    code: 'USAGE',
  });
  await expect(checkOutputs([{ kind: 'docker', reference: 'demo' }], fakeEngine('oci'), ACCESS)).rejects.toMatchObject({
    code: 'PUBLISH_FAILED',
  });
});

test('outputs that can be written pass, and nothing is written', async () => {
  const engine = fakeEngine('docker');
  await publish([{ kind: 'oci', dir: join(dir, 'before') }], engine);
  const outputs: Output[] = [
    ...['before', 'new', 'new/below'].map((name) => ({ kind: 'oci' as const, dir: join(dir, name) })),
    { kind: 'docker', reference: 'demo' },
  ];
  await checkOutputs(outputs, engine, ACCESS);
  expect(readdirSync(dir).sort()).toEqual(['before', 'work']);
});

test('an archive, and an image with another name in a layout', async () => {
  const file = join(dir, 'image.tar');
  const outputs: Output[] = [
    { kind: 'docker-archive', file, reference: 'demo' },
    { kind: 'oci', dir: join(dir, 'out'), tag: 'warm' },
  ];
  const built = await publish(outputs, fakeEngine('oci'));
  expect(built.references).toEqual([`docker-archive:${file}:demo`, `oci:${join(dir, 'out')}:warm`]);
  expect(await validateLayout(join(dir, 'out'), 'warm')).toEqual([]);
  expect(readFileSync(file, 'utf8')).toContain('"RepoTags":["demo:latest"]');
});

test('no archive is written when another output fails', async () => {
  writeFileSync(join(dir, 'file'), 'in the way');
  const outputs: Output[] = [
    { kind: 'docker-archive', file: join(dir, 'out/image.tar'), reference: 'demo' },
    { kind: 'oci', dir: join(dir, 'file') },
  ];
  await expect(publish(outputs, fakeEngine('oci'))).rejects.toMatchObject({ code: 'PUBLISH_FAILED' });
  expect(readdirSync(join(dir, 'out'))).toEqual([]);
});

test('a digest is no name for what is new', async () => {
  const reference = `demo@sha256:${'ab'.repeat(32)}`;
  const outputs: Output[] = [
    { kind: 'docker', reference },
    { kind: 'docker-archive', file: join(dir, 'a.tar'), reference },
  ];
  for (const output of outputs)
    await expect(checkOutputs([output], fakeEngine('docker'), ACCESS)).rejects.toMatchObject({ code: 'USAGE' });
});
