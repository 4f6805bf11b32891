import { execFile, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { type Duplex, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { openUnzstd, openZstd, requireZstd, type ZstdTools } from '../../../src/oci/zstd.ts';

const BLOCK = 16 << 20;
const WITHOUT: ZstdTools = { command: 'zstd' };
/** Of a newer Node.js: what it asks for is done by the command. */
const WITH: ZstdTools = {
  command: 'zstd',
  zstdCompress: (bytes, { params }, done) => {
    const child = execFile('zstd', ['-qc', `-${params[100]}`], { encoding: 'buffer', maxBuffer: BLOCK }, done);
    child.stdin?.end(bytes);
  },
};

function sample(size: number): Buffer {
  return Buffer.concat([randomBytes(Math.min(size, 5000)), Buffer.alloc(Math.max(size - 5000, 0), 'abc')]);
}

async function run(bytes: Buffer, filter: Duplex, chunkBytes = 65_536): Promise<Buffer> {
  const chunks = (function* () {
    for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
  })();
  let output = Buffer.alloc(0);
  await pipeline(Readable.from(chunks), filter, async (source) => {
    output = await buffer(source);
  });
  return output;
}

describe.each([
  ['this Node.js', undefined],
  ['a Node.js with zstd', WITH],
  ['a Node.js without', WITHOUT],
])('%s', (_name, tools) => {
  test.each([
    ['nothing', 0],
    ['less than a block', 1000],
    ['several blocks and a rest', 2 * BLOCK + 77],
  ])('%s comes back as it was', async (_size, size) => {
    const bytes = sample(size);
    const compressed = await run(bytes, openZstd(6, tools));
    expect(compressed.length).toBeLessThan(size / 100 + 6000);
    expect((await run(compressed, openUnzstd())).equals(bytes)).toBe(true);
  });

  test('how the input arrives does not change the output, the level does', async () => {
    const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, at) => `${(at * 7919) % 10_007}`).join(' '));
    const [small, large, other] = await Promise.all([
      run(bytes, openZstd(1, tools), 5000),
      run(bytes, openZstd(1, tools), bytes.length),
      run(bytes, openZstd(19, tools)),
    ]);
    expect(small.equals(large)).toBe(true);
    expect(other.length).toBeLessThan(small.length);
  });
});

test('the command gives the same bytes on one processor as on all', async () => {
  const bytes = sample(40 << 20);
  const onOne = execFileSync('zstd', ['-qc', '-6', '-T1'], { input: bytes, maxBuffer: bytes.length });
  expect((await run(bytes, openZstd(6, WITHOUT))).equals(onOne)).toBe(true);
});

test('what is cut off, or is no zstd at all, is an error', async () => {
  const compressed = await run(sample(100_000), openZstd(6));
  await expect(run(compressed.subarray(0, -3), openUnzstd())).rejects.toThrow(/premature|truncated/i);
  await expect(run(Buffer.alloc(1 << 20, 'no zstd'), openUnzstd())).rejects.toThrow(/unsupported format/i);
});

describe('without the command', () => {
  const missing = {
    code: 'INPUT_NOT_FOUND',
    message: expect.stringContaining('cannot run zstd'),
    hint: expect.stringContaining('--compression gzip'),
  };
  const command = '/nonexistent/zstd';

  test('the way out is named, before the work and during it', async () => {
    await expect(requireZstd(false, { command })).rejects.toMatchObject(missing);
    await expect(run(sample(1000), openZstd(6, { command }))).rejects.toMatchObject(missing);
    await expect(run(sample(1000), openUnzstd({ command }))).rejects.toMatchObject(missing);
  });

  test('a newer Node.js can write, but not read', async () => {
    await requireZstd(false, { ...WITH, command });
    await expect(requireZstd(true, { ...WITH, command })).rejects.toMatchObject(missing);
  });
});
