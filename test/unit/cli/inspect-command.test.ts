import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInspect } from '../../../src/cli/inspect-command.ts';
import { writeLayer } from '../../../src/oci/layer.ts';
import { writeLayout } from '../../../src/oci/write-layout.ts';
import { composeFile } from '../../../src/tar/entry.ts';
import { expectGolden } from '../../support/golden.ts';
import { SAMPLE_CONFIG } from '../oci/sample-image.ts';
import { compileSample, HEAP, makeSample, open, regular, type Sample } from '../restore-plan/sample-dump.ts';

const work = mkdtempSync(join(tmpdir(), 'inspect-'));
let sample: Sample;
beforeEach(() => {
  sample = makeSample();
});
afterEach(() => rmSync(sample.dir, { recursive: true, force: true }));
afterAll(() => rmSync(work, { recursive: true, force: true }));

/** One of most things. */
function fill(): void {
  open(sample, 3, regular(60, '/lib/library', { 3: 100n, 8: 8192 }));
  open(sample, 4, { 1: 8, 2: 61, 8: { 1: 61, 2: 2048, 4: 3n } });
  open(sample, 5, { 1: 9, 2: 62, 9: { 1: 62, 2: 0, 4: [{ 1: 62, 2: 4, 3: 1, 4: 99n }] } });
  open(sample, 6, { 1: 8, 2: 61, 8: { 1: 61, 2: 2048, 4: 3n } }, 1);
  const listener = { 1: 63, 2: 8, 3: 10, 4: 1, 5: 6, 6: 10, 7: 8080, 9: 2, 10: 50, 11: [0, 0, 0, 0x01000000] };
  open(sample, 7, { 1: 4, 2: 63, 4: listener });
  Object.assign(sample.registers, { 11: 202n, 14: 0x89, 8: HEAP + 0x840 });
  const action = (handler: bigint) => ({ 1: handler, 2: 4n, 3: 5n, 4: 6n });
  Object.assign(sample.task, { 15: [action(1n), action(0x1000n), action(1n), action(0n)] });
}

test('a plan in words', async () => {
  fill();
  await compileSample(sample);
  const { text } = await runInspect(undefined, { plan: sample.dir });
  expectGolden('inspect-plan.txt', text.replaceAll(sample.dir, 'DIR'));
});

test('a plan as JSON: strings as strings, addresses as hexadecimal text', async () => {
  fill();
  await compileSample(sample);
  const { json } = await runInspect(undefined, { plan: join(sample.dir, 'plan.bin') });
  expect(json).toMatchObject({
    ok: true,
    header: { cwd_blob: '/work', monotonic_ns: 5_000_000_007, nano_offset: '0x10000800', mem_size: 16384 },
    mem: expect.arrayContaining([expect.objectContaining({ kind: 'FILE', address: '0x20000000', length: 8192 })]),
    file: [{ path_blob: '/lib/library', size: 8192, mtime_s: 1000 }],
    thread: [{ name: 'java', old_tid: 100 }],
    fd: expect.arrayContaining([
      expect.objectContaining({ fd: 3, kind: 'FILE', path_blob: '/lib/library', a: 100 }),
      expect.objectContaining({ fd: 7, kind: 'SOCKET' }),
    ]),
  });
});

test.each(['gzip', 'zstd'] as const)('the plan of an image layout with %s', async (compression) => {
  const { plan, mem } = await compileSample(sample);
  const dir = join(work, `layout-${compression}`);
  const blobDir = join(work, `blobs-${compression}`);
  mkdirSync(blobDir);
  const layers = [
    await writeLayer(blobDir, 'base', [composeFile('etc/passwd', Buffer.from('app'))], { compression }),
    await writeLayer(
      blobDir,
      'checkpoint',
      [composeFile('opt/crac/checkpoint/mem.bin', mem), composeFile('opt/crac/checkpoint/plan.bin', plan)],
      { compression },
    ),
  ];
  const config = SAMPLE_CONFIG;
  await writeLayout({ blobDir, layers, config }, dir, 'latest');
  const place = `${dir}: /opt/crac/checkpoint/plan.bin`;
  for (const target of [dir, `oci:${dir}`])
    expect((await runInspect(undefined, { plan: target })).json).toMatchObject({ place, memBytes: mem.length });

  await writeLayout({ blobDir, layers: layers.slice(0, 1), config }, dir, 'latest');
  await expect(runInspect(undefined, { plan: dir })).rejects.toMatchObject({
    code: 'INPUT_NOT_FOUND',
    message: expect.stringContaining('holds no checkpoint'),
  });
});

test.each([
  ['nothing', 'INPUT_NOT_FOUND', /is not there/, () => {}],
  ['a folder without a plan', 'INPUT_NOT_FOUND', /holds no plan\.bin/, (path: string) => mkdirSync(path)],
  [
    'another file',
    'IMAGE_INVALID',
    /IMAGE_INVALID-[\d.]+ is not a restore plan$/,
    (path: string) => writeFileSync(path, 'x'),
  ],
])('%s is refused', async (_, code, message, make) => {
  const path = join(work, `${code}-${Math.random()}`);
  make(path);
  await expect(runInspect(undefined, { plan: path })).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message),
    hint: expect.any(String),
  });
});

test('a plan with the pages of another is refused', async () => {
  await compileSample(sample);
  writeFileSync(join(sample.dir, 'mem.bin'), readFileSync(join(sample.dir, 'mem.bin')).subarray(1));
  await expect(runInspect(undefined, { plan: sample.dir })).rejects.toMatchObject({
    code: 'IMAGE_INVALID',
    message: expect.stringContaining('mem.bin has 16383 bytes, the plan was made for 16384'),
  });
});
