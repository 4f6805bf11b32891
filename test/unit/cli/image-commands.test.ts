import { appendFileSync, createWriteStream, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { runInspect } from '../../../src/cli/inspect-command.ts';
import { runMerge } from '../../../src/cli/merge-command.ts';
import { runValidate } from '../../../src/cli/validate-command.ts';
import { locateBlob } from '../../../src/oci/blob-store.ts';
import { openDockerArchive } from '../../../src/oci/docker-archive.ts';
import type { OciImage } from '../../../src/oci/image.ts';
import { writeLayer } from '../../../src/oci/layer.ts';
import { validateLayout } from '../../../src/oci/validate.ts';
import { writeLayout } from '../../../src/oci/write-layout.ts';
import { NOTHING_DROPPED } from '../../../src/restore-plan/kept-pages.ts';
import { composeFile } from '../../../src/tar/entry.ts';
import { expectGolden } from '../../support/golden.ts';
import { SAMPLE_SIZES } from '../../support/sample-sizes.ts';
import { makeSampleImage, SAMPLE_CONFIG } from '../oci/sample-image.ts';

const never = new AbortController().signal;
const FACTS = {
  ...{ name: 'orders', javaVersion: '25.0.3', gc: 'G1', steps: [], classes: null, skippedSteps: [] },
  sizes: { byCause: SAMPLE_SIZES, droppedPages: NOTHING_DROPPED },
};
const TOLD = {
  'org.opencontainers.image.title': 'orders',
  'dev.crac-build.java.gc': 'G1',
  'org.criu.checkpoint.host.kernel': '6.1.0-18-amd64',
};

let dir: string;
let layout: string;
let archive: string;
let image: OciImage;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'commands-test-'));
  layout = join(dir, 'layout');
  archive = join(dir, 'image.tar');
  const sample = await makeSampleImage(dir);
  const facts = [composeFile('opt/crac/checkpoint/facts.json', Buffer.from(JSON.stringify(FACTS)))];
  const checkpoint = await writeLayer(sample.blobDir, 'checkpoint', facts);
  const config = { ...SAMPLE_CONFIG, labels: { ...TOLD, other: 'x' } };
  image = { ...sample, layers: [...sample.layers, checkpoint], config, annotations: TOLD };
  await writeLayout(image, layout, 'latest');
  await pipeline(openDockerArchive(image, 'orders:warm'), createWriteStream(archive));
});
afterEach(() => rmSync(dir, { recursive: true }));

test('what an image tells of itself, from a layout and from an archive', async () => {
  const { text, json } = await runInspect(`oci:${layout}:latest`, {});
  expectGolden('inspect-image.txt', text.replaceAll(dir, 'DIR').replaceAll(/sha256:\w{64}/g, 'SHA256'));
  expect(json).toMatchObject({ ok: true, image: { platform: 'linux/amd64', annotations: TOLD, labels: TOLD } });

  const fromArchive = (await runInspect(`docker-archive:${archive}`, {})).json as typeof json & { image: object };
  const { layers, labels } = (json as { image: { layers: object[]; labels: object } }).image;
  expect(fromArchive).toMatchObject({ name: 'orders', image: { layers, labels, annotations: {} } });
});

test('validate: every image of a layout, or one', async () => {
  await writeLayout(image, layout, 'warm');
  const { text, json } = await runValidate(layout, never);
  expect(text).toMatch(
    /^\S+layout is valid\n(?: {2}sha256:\w{64} {2}linux\/amd64 {2}3 layers {2}(?:latest|warm)\n){2}$/,
  );
  expect(json).toMatchObject({ ok: true, images: [{ tag: 'latest', layers: 3 }, { tag: 'warm' }] });
  expect((await runValidate(`oci:${layout}:warm`, never)).json).toMatchObject({ images: [{ tag: 'warm' }] });
  expect((await runValidate(`docker-archive:${archive}:orders:warm`, never)).json).toMatchObject({ ok: true });
});

test('validate: all that is wrong, and what is no image', async () => {
  appendFileSync(locateBlob(join(layout, 'blobs'), image.layers[0]?.digest ?? ''), 'x');
  await expect(runValidate(layout, never)).rejects.toMatchObject({
    code: 'IMAGE_INVALID',
    message: `${layout} is not valid`,
    details: expect.arrayContaining([
      expect.stringContaining('has the content of'),
      expect.stringContaining(' bytes instead of '),
    ]),
  });
  await expect(runValidate(dir, never)).rejects.toMatchObject({ code: 'INPUT_NOT_FOUND' });
  await expect(runValidate(`oci:${layout}:none`, never)).rejects.toMatchObject({
    details: ['there is nothing called none'],
  });
});

test('merge: one index out of a layout and an archive', async () => {
  const arm64 = join(dir, 'arm64');
  await writeLayout({ ...image, config: { ...image.config, architecture: 'arm64' } }, arm64, 'latest');
  const out = join(dir, 'out');
  const output = [{ kind: 'oci', dir: out, tag: 'orders' }] as const;
  const { text, json } = await runMerge([`docker-archive:${archive}`, `oci:${arm64}`], { output }, never);
  expect(await validateLayout(out, 'orders')).toEqual([]);
  expect(text).toContain(`merged oci:${out}:orders\nindex sha256:`);
  expect(json).toMatchObject({ ok: true, images: [{ platform: 'linux/amd64' }, { platform: 'linux/arm64' }] });
  expect((await runInspect(`oci:${out}`, {})).json).toMatchObject({ image: { platform: 'linux/amd64' } });
});

test('merge: nothing is written where a source or the output cannot be used', async () => {
  const output = [{ kind: 'oci', dir: join(dir, 'out') }] as const;
  await expect(runMerge([`oci:${layout}`, layout], { output }, never)).rejects.toMatchObject({ code: 'USAGE' });
  await expect(runMerge([`oci:${layout}`, `oci:${layout}`], { output }, never)).rejects.toMatchObject({
    code: 'INPUT_INVALID',
  });
  const taken = [{ kind: 'oci', dir }] as const;
  await expect(runMerge([`oci:${layout}`], { output: taken }, never)).rejects.toMatchObject({ code: 'PUBLISH_FAILED' });
  expect(readdirSync(dir).sort()).toEqual(['blobs', 'image.tar', 'layout']);
});

test('one of several images is to be named', async () => {
  const other = await makeSampleImage(join(dir, 'other'), 'other');
  await writeLayout(other, layout, 'other');
  await expect(runInspect(layout, {})).rejects.toMatchObject({
    code: 'INPUT_NOT_FOUND',
    hint: `Name one: oci:${layout}:latest, oci:${layout}:other.`,
  });
});

test('an interrupt ends the reading, and leaves nothing', async () => {
  const usual = process.env['TMPDIR'];
  const temporary = join(dir, 'temporary');
  mkdirSync(temporary);
  process.env['TMPDIR'] = temporary;
  try {
    const ended = AbortSignal.abort();
    for (const place of [`oci:${layout}`, `docker-archive:${archive}`])
      await expect(runValidate(place, ended)).rejects.toThrow();
    const output = [{ kind: 'oci', dir: join(dir, 'out') }] as const;
    await expect(runMerge([`docker-archive:${archive}`], { output }, ended)).rejects.toThrow();
    expect(readdirSync(temporary)).toEqual([]);
    expect(readdirSync(dir)).not.toContain('out');
  } finally {
    if (usual === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = usual;
  }
});
