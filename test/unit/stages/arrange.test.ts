import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';
import type { ExecResult } from '../../../src/engine/engine.ts';
import { openBlob } from '../../../src/oci/blob-store.ts';
import type { Layer } from '../../../src/oci/image.ts';
import { compileDump } from '../../../src/restore-plan/compile-dump.ts';
import { MEM, NO_FILE } from '../../../src/restore-plan/format.ts';
import { arrangeCheckpoint } from '../../../src/stages/arrange.ts';
import { packCheckpoint, packLayers } from '../../../src/stages/pack.ts';
import { readTar } from '../../../src/tar/read-tar.ts';
import { type FakeApp, openFakeEngine } from '../../support/fake-engine.ts';
import { fakeWorld, NO_IMAGE } from '../../support/fake-world.ts';
import { samplePlan } from '../../support/sample-plan.ts';
import { factsOf, HEAP, makeSample, type Sample, writeSample } from '../restore-plan/sample-dump.ts';

const PAGE = 4096;
const plan = samplePlan({ verify: { timeout: 300 } });
const STATE: Layer = {
  kind: 'state',
  compression: 'gzip',
  digest: 'sha256:5',
  diffId: 'sha256:6',
  sizeBytes: 7,
  uncompressedBytes: 8,
};

let sample: Sample;
beforeEach(() => {
  sample = makeSample();
});
afterEach(() => rmSync(sample.dir, { recursive: true, force: true }));

/** What becomes of the sample's checkpoint where the restored app and `ctl` in its container do as `app` says. */
async function arrange(app: FakeApp, planned: typeof plan = plan) {
  const engine = openFakeEngine(app);
  const world = { ...fakeWorld(engine), workDir: sample.dir };
  const checkpoint = { ...factsOf(sample), imagesDir: sample.dir, stateTar: '' };
  const restoreImage = await compileDump(writeSample(sample), checkpoint, 'map', sample.dir);
  const full = await packCheckpoint(planned, checkpoint, restoreImage, world);
  const draft = await packLayers(planned, checkpoint, restoreImage, world, { isDraft: true });
  const packed = { restoreImage, layers: [STATE, ...draft] };
  return { packed, full, engine, arranged: await arrangeCheckpoint(planned, NO_IMAGE, packed, checkpoint, world) };
}

/** The kept pages of the heap lie in front: "h", then "H". */
const touchedSecondPage = ([word]: readonly string[]): ExecResult => {
  const touched = [{ path: '/opt/crac/checkpoint/mem.bin', runs: [[PAGE, PAGE]] }];
  return {
    exitCode: word === 'touched' ? 0 : 1,
    stdout: JSON.stringify({ touched, written: [[HEAP + 2 * PAGE, PAGE]] }),
    stderr: '',
  };
};

async function readLayer(layer: Layer | undefined): Promise<ReadonlyMap<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for await (const { header, content } of readTar(
    openBlob(join(sample.dir, 'blobs'), layer?.digest ?? '').pipe(createGunzip()),
  ))
    files.set(header.path, await buffer(content));
  return files;
}

test('what the first answer touched lies in front of mem.bin in the layer, and is read ahead', async () => {
  const { packed, arranged, engine } = await arrange({ ctl: touchedSecondPage });
  expect(arranged.layers.map(({ kind }) => kind)).toEqual(['state', 'checkpoint']);
  expect(arranged.layers[0]).toBe(STATE);
  const { mem, prefetch } = arranged.restoreImage.contents.sections;
  // The second page of the heap, and of the stack what is read at once.
  expect(prefetch).toEqual([{ offset: 0, length: 2 * PAGE, file: NO_FILE }]);
  expect(mem.find(({ kind, address }) => kind === MEM.PAGES && address === HEAP + 2 * PAGE)).toMatchObject({
    offset: 0,
  });
  expect(mem.at(-1)).toMatchObject({ kind: MEM.ADVISE, address: HEAP + 2 * PAGE, length: PAGE, flags: 23 });

  const files = await readLayer(arranged.layers[1]);
  const memory = files.get('opt/crac/checkpoint/mem.bin')?.toString('latin1');
  expect(memory).toBe(['H', 's', 'h', 'x'].map((byte) => byte.repeat(PAGE)).join(''));
  expect(files.get('opt/crac/checkpoint/plan.bin')).toEqual(readFileSync(arranged.restoreImage.planFile));
  expect(JSON.parse(`${files.get('opt/crac/checkpoint/facts.json')}`).sizes.readAheadBytes).toBe(2 * PAGE);
  expect(readFileSync(packed.restoreImage.memFile).subarray(0, PAGE)).toEqual(Buffer.alloc(PAGE, 'h'));

  expect(engine.specs.map(({ environment }) => environment)).toEqual([{ CRAC_RESTORE: 'require', CRAC_RECORD: '1' }]);
  expect(engine.left()).toEqual([]);
});

test('what the first requests write to besides comes last; without an answer to them only the first counts', async () => {
  const written = [
    [HEAP + 2 * PAGE, PAGE],
    [HEAP, PAGE],
  ];
  let asked = 0;
  const app = (status: number): FakeApp => ({
    ctl: ([word]) => ({
      exitCode: word === 'touched' ? 0 : 1,
      stdout: JSON.stringify({ touched: [], written: written.slice(0, ++asked).toSorted() }),
      stderr: '',
    }),
    answer: ({ url }) => ({ status: url === '/' ? 200 : status }),
  });
  const scenarios = [{ name: 'orders', steps: [{ path: '/orders' }] }];
  const planned = samplePlan({ verify: { timeout: 300 }, warmUp: { scenarios } });
  const { arranged, engine } = await arrange(app(200), planned);
  expect(engine.requests.filter((request) => request === 'GET /orders').length).toBeGreaterThan(10);
  expect(arranged.restoreImage.contents.sections.mem.slice(-2)).toMatchObject([
    { kind: MEM.ADVISE, address: HEAP + 2 * PAGE, length: PAGE, flags: 23 },
    { kind: MEM.LATER, address: HEAP, length: PAGE },
  ]);
  asked = 0;
  const failed = await arrange(app(500), planned);
  expect(failed.arranged.restoreImage.contents.sections.mem).toEqual(
    arranged.restoreImage.contents.sections.mem.slice(0, -1),
  );
  expect(failed.engine.left()).toEqual([]);
});

test.each<[string, FakeApp]>([
  ['does not answer', { answer: () => ({ status: 503 }), ctl: touchedSecondPage }],
  ['ends', { answer: () => 'hang', exits: { code: 125, afterMs: 20 }, ctl: touchedSecondPage }],
  ['runs where nobody tells what it touched', { ctl: () => ({ exitCode: 1, stdout: '', stderr: '' }) }],
])('a draft that %s stays as it is, but is compressed as it should be', async (_, app) => {
  const { packed, full, arranged, engine } = await arrange(app);
  expect(arranged).toEqual({ ...packed, layers: [STATE, full] });
  expect(packed.layers[1]).toMatchObject({ diffId: full.diffId });
  expect(packed.layers[1]?.digest).not.toBe(full.digest);
  expect(engine.specs).toHaveLength(1);
  expect(engine.left()).toEqual([]);
});
