import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInspect } from '../../../src/cli/inspect-command.ts';
import { layOutTreemap } from '../../../src/cli/treemap.ts';
import { writeLayer } from '../../../src/oci/layer.ts';
import { writeLayout } from '../../../src/oci/write-layout.ts';
import { NOTHING_DROPPED } from '../../../src/restore-plan/kept-pages.ts';
import { composeFile } from '../../../src/tar/entry.ts';
import { expectGolden } from '../../support/golden.ts';
import { SAMPLE_SIZES } from '../../support/sample-sizes.ts';
import { SAMPLE_CONFIG } from '../oci/sample-image.ts';

const FACTS = {
  format: 1,
  name: 'orders <1> & "more"',
  javaVersion: '25.0.3',
  gc: 'G1',
  sizes: {
    memBytes: 14_614_576,
    byCause: SAMPLE_SIZES,
    droppedPages: {
      ...NOTHING_DROPPED,
      zero: 1000,
      'equal-to-file': 20,
      'dead-stack': 3,
      'free-heap': 500,
      'free-malloc': 240,
    },
  },
  steps: [
    { name: 'beforeCheckpoint', ms: 1.2, freedBytes: -4096 },
    { name: 'jit-idle', ms: 30_012.4, freedBytes: 0, note: 'they did not within 30 s' },
    { name: 'collect', ms: 38, freedBytes: 2_000_000 },
    { name: 'free-heap', ms: 0.2, freedBytes: 30_000_000 },
    { name: 'trim', ms: 0, freedBytes: 1_000_000 },
  ],
  classes: {
    instances: 90_000,
    bytes: 5_800_000,
    top: [
      { name: 'byte[]', instances: 30_000, bytes: 2_000_000 },
      { name: 'orders.Order<init>', instances: 3, bytes: 72 },
    ],
  },
  skippedSteps: ['arenas', 'file-pages'],
};

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'inspect-sizes-'));
  writeFileSync(join(dir, 'facts.json'), JSON.stringify(FACTS));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('sizes as a table, the largest first', async () => {
  const { text } = await runInspect(dir, {});
  expectGolden('inspect-sizes.txt', text.replaceAll(dir, 'DIR'));
});

test('sizes as JSON, out of an image layout', async () => {
  const blobDir = join(dir, 'blobs');
  const content = Buffer.from(JSON.stringify(FACTS));
  const layers = [await writeLayer(blobDir, 'checkpoint', [composeFile('opt/crac/checkpoint/facts.json', content)])];
  const layout = join(dir, 'layout');
  await writeLayout({ blobDir, layers, config: SAMPLE_CONFIG }, layout, 'latest');
  const { json } = await runInspect(`oci:${layout}`, {});
  expect(json).toMatchObject({
    ok: true,
    place: `${layout}: /opt/crac/checkpoint/facts.json`,
    sizes: { byCause: SAMPLE_SIZES },
    steps: FACTS.steps,
  });
});

test('sizes as a page: well-formed, with all that it needs, for light and dark', async () => {
  const html = join(dir, 'sizes.html');
  const { text } = await runInspect(dir, { html });
  expect(text).toContain(`as a page: ${html}\n`);
  const page = readFileSync(html, 'utf8');
  const parser = 'import sys, xml.dom.minidom as m; print(m.parse(sys.argv[1]).getElementsByTagName("rect").length)';
  expect(execFileSync('python3', ['-c', parser, html], { encoding: 'utf8' })).toBe('12\n'); // `other` is empty, the heap has four and a frame
  expect(page).not.toMatch(/<script|<link|<img|@import|url\(|\ssrc=|\shref=|\son\w+=/i);
  expect(page).toContain('prefers-color-scheme: dark');
  expect(page).toContain('orders &lt;1&gt; &amp; &quot;more&quot;');
  expect(page).toContain('<g><title>Java heap: 6.0 MB, about 1.5 MB compressed</title><g>');
  expect(page).toContain('<title>Java heap, old: 4.0 MB, about 1.0 MB compressed</title><rect class="hue0 part"');
  expect(page).toMatch(/<text [^>]+>Java heap, old<tspan /);
  expect(page).toMatch(/<text [^>]+>CDS archive<tspan /); // there is no room for more
  expect(page).toContain('<td>\u2003\u2003humongous</td><td>1.2 MB</td><td>8.2 %</td><td>300.0 kB</td>');
  expect(page).toContain('<td>orders.Order&lt;init&gt;</td><td>3</td><td>72 B</td>');
  expect(page).toContain('<p>Skipped steps: arenas, file-pages</p>');
  expect(page).toContain('<td class="words">they did not within 30 s</td>');
  expect(page).toContain('<td>thread stacks</td><td>90.0 kB</td><td>0.6 %</td><td>12.0 kB</td>');
});

test('a heap without generations has one row and one tile', async () => {
  const none = { rawBytes: 0, compressedBytes: 0 };
  const generations = { 'heap-young': none, 'heap-old': none, 'heap-humongous': none, 'heap-archive': none };
  const all = { 'heap-other': { rawBytes: 6_000_000, compressedBytes: 1_500_000 } };
  const sizes = { ...FACTS.sizes, byCause: { ...SAMPLE_SIZES, ...generations, ...all } };
  writeFileSync(join(dir, 'facts.json'), JSON.stringify({ ...FACTS, sizes }));
  const html = join(dir, 'sizes.html');
  const { text } = await runInspect(dir, { html });
  expect(text).toMatch(/^Java heap +6\.0 MB +41\.1 % +1\.5 MB\nmetaspace/m);
  const page = readFileSync(html, 'utf8');
  expect(page.match(/<rect/g)).toHaveLength(8);
  expect(page).toContain('<title>Java heap: 6.0 MB, about 1.5 MB compressed</title><rect class="hue0"');
  expect(page).not.toContain('generation');
});

test('a treemap fills its space without overlaps, each tile by its size', () => {
  const items = [6, 6, 4, 3, 2, 2, 1];
  const tiles = layOutTreemap(items, (item) => item, { x: 10, y: 20, width: 6, height: 4 });
  expect(tiles.map(({ item }) => item)).toEqual(items);
  for (const { item, x, y, width, height } of tiles) {
    expect(width * height).toBeCloseTo(item);
    expect(Math.max(width / height, height / width)).toBeLessThan(3);
    expect([x >= 10, y >= 20, x + width <= 16 + 1e-9, y + height <= 24 + 1e-9]).toEqual([true, true, true, true]);
    for (const other of tiles.filter((tile) => tile.x !== x || tile.y !== y)) {
      const across = Math.min(x + width, other.x + other.width) - Math.max(x, other.x);
      const down = Math.min(y + height, other.y + other.height) - Math.max(y, other.y);
      expect(Math.min(across, down)).toBeLessThan(1e-9);
    }
  }
  expect(layOutTreemap([], (item) => item, { x: 0, y: 0, width: 1, height: 1 })).toEqual([]);
});

test.each([
  ['of an older image', { ...FACTS, sizes: {} }, /Build the image again/],
  ['that is no JSON object', 'x', /Build the image again/],
])('a facts.json %s is refused', async (_, facts, hint) => {
  writeFileSync(join(dir, 'facts.json'), JSON.stringify(facts));
  await expect(runInspect(dir, {})).rejects.toMatchObject({
    code: 'IMAGE_INVALID',
    message: `${join(dir, 'facts.json')} does not tell what takes the space`,
    hint: expect.stringMatching(hint),
  });
});

test('a folder without facts, and a page that cannot be written', async () => {
  const html = join(dir, 'missing/sizes.html');
  await expect(runInspect(dir, { html })).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    message: `${html} cannot be written: ENOENT`,
  });
  rmSync(join(dir, 'facts.json'));
  await expect(runInspect(dir, {})).rejects.toMatchObject({
    code: 'INPUT_NOT_FOUND',
    message: `${dir} holds no facts.json`,
    hint: expect.stringMatching(/^Give a facts\.json, a folder with one, or an image: "oci:DIR/),
  });
});

test.each([
  [undefined, {}, 'no image was given'],
  ['dir', { plan: 'dir' }, 'an image and --plan were given'],
  [undefined, { plan: 'dir', html: 'x' }, '--html shows sizes, not a plan'],
])('wrong usage: %j %j', async (image, flags, message) => {
  await expect(runInspect(image, flags)).rejects.toMatchObject({ code: 'USAGE', message, hint: expect.any(String) });
});
