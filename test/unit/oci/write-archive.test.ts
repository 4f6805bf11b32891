import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { locateBlob } from '../../../src/oci/blob-store.ts';
import { openDockerArchive } from '../../../src/oci/docker-archive.ts';
import type { OciImage } from '../../../src/oci/image.ts';
import { checkArchiveTarget, stageArchive } from '../../../src/oci/write-archive.ts';
import { makeSampleImage } from './sample-image.ts';

let dir: string;
let file: string;
let image: OciImage;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'archive-test-'));
  image = await makeSampleImage(join(dir, 'work'));
  file = join(dir, 'out', 'image.tar');
});
afterEach(() => rmSync(dir, { recursive: true }));

test('is there when it is kept, and whole', async () => {
  {
    await using staged = await stageArchive(image, file, 'demo:1');
    expect(existsSync(file)).toBe(false);
    await staged.keep();
  }
  expect(readFileSync(file).equals(await buffer(openDockerArchive(image, 'demo:1')))).toBe(true);
  expect(readdirSync(join(dir, 'out'))).toEqual(['image.tar']);
});

test('leaves an older one as it was unless it is kept', async () => {
  await (await stageArchive(image, file, 'demo:1')).keep();
  const before = readFileSync(file);
  const other = await makeSampleImage(join(dir, 'other'), 'another text');
  {
    await using staged = await stageArchive(other, file, 'demo:2');
    expect(staged).toBeDefined();
  }
  expect(readFileSync(file).equals(before)).toBe(true);
  await (await stageArchive(other, file, 'demo:2')).keep();
  expect(readFileSync(file).equals(before)).toBe(false);
  expect(readdirSync(join(dir, 'out'))).toEqual(['image.tar']);
});

test('a failure and an abort leave nothing', async () => {
  const abort = new AbortController();
  abort.abort();
  await expect(stageArchive(image, file, 'demo:1', abort.signal)).rejects.toMatchObject({ name: 'AbortError' });
  unlinkSync(locateBlob(image.blobDir, image.layers[1]?.digest ?? ''));
  await expect(stageArchive(image, file, 'demo:1')).rejects.toThrow('ENOENT');
  expect(readdirSync(join(dir, 'out'))).toEqual([]);
});

test('a folder and a file that is no archive are left alone', async () => {
  mkdirSync(file, { recursive: true });
  const letter = join(dir, 'letter');
  writeFileSync(letter, 'Dear Sir');
  await expect(stageArchive(image, file, 'a:1')).rejects.toMatchObject({
    code: 'PUBLISH_FAILED',
    message: `${file} exists and is a folder`,
  });
  await expect(checkArchiveTarget(letter)).rejects.toMatchObject({
    code: 'PUBLISH_FAILED',
    message: `${letter} exists and is no archive`,
  });
  expect(readFileSync(letter, 'utf8')).toBe('Dear Sir');
});
