import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import {
  composeDirectory,
  composeFile,
  composeSymlink,
  FIXED_MTIME_SECONDS,
  type TarEntry,
} from '../../../src/tar/entry.ts';
import { readTar, type TarHeader } from '../../../src/tar/read-tar.ts';
import { openTar } from '../../../src/tar/write-tar.ts';

const LONG = `${'deep/'.repeat(40)}${'x'.repeat(120)}.txt`;

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'tar-test-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

async function listTar(tar: Readable): Promise<(TarHeader & { content: string; offset: number })[]> {
  const found = [];
  for await (const { header, content, offset } of readTar(tar)) {
    const chunks: Buffer[] = [];
    for await (const chunk of content) chunks.push(chunk);
    found.push({ ...header, content: Buffer.concat(chunks).toString(), offset });
  }
  return found;
}

/** `tar -tv` of GNU tar: "-rw-r--r-- 0/0 5 1980-01-01 00:00 PATH". */
function listWithGnuTar(tar: Buffer): string[] {
  const out = execFileSync('tar', ['-tvf', '-', '--numeric-owner', '--full-time', '--quoting-style=literal'], {
    input: tar,
    env: { TZ: 'UTC', LC_ALL: 'C.UTF-8', PATH: '/usr/bin:/bin' },
  });
  return out.toString().trim().split('\n');
}

const SAMPLE: readonly TarEntry[] = [
  composeFile('b/zeta', Buffer.from('last')),
  composeSymlink('b/link', '../a'),
  composeFile(LONG, Buffer.from('long')),
  composeDirectory('tmp', 0o1777),
  composeFile('b-', Buffer.from('')),
  composeFile('b/ünï', Buffer.from('umlaut'), 0o600, { uid: 10001, gid: 10002, mtimeSeconds: 1_700_000_001 }),
  composeDirectory('b'),
];

test('entries are sorted by bytes, whatever order they come in', async () => {
  const expected = ['b', 'b-', 'b/link', 'b/zeta', 'b/ünï', LONG, 'tmp'];
  expect((await listTar(openTar(SAMPLE))).map(({ path }) => path)).toEqual(expected);
  const one = await buffer(openTar(SAMPLE));
  const other = await buffer(openTar([...SAMPLE].reverse()));
  expect(createHash('sha256').update(one).digest('hex')).toBe(createHash('sha256').update(other).digest('hex'));
});

test('GNU tar reads owner, mode, time, long and foreign names', async () => {
  const lines = listWithGnuTar(await buffer(openTar(SAMPLE)));
  expect(lines).toEqual([
    expect.stringMatching(/^drwxr-xr-x 0\/0 +0 1980-01-01 00:00:00 b\/$/),
    expect.stringMatching(/^-rw-r--r-- 0\/0 +0 1980-01-01 00:00:00 b-$/),
    expect.stringMatching(/^lrwxrwxrwx 0\/0 +0 1980-01-01 00:00:00 b\/link -> \.\.\/a$/),
    expect.stringMatching(/^-rw-r--r-- 0\/0 +4 1980-01-01 00:00:00 b\/zeta$/),
    expect.stringMatching(/^-rw------- 10001\/10002 +6 2023-11-14 22:13:21 b\/ünï$/),
    expect.stringContaining(LONG),
    expect.stringMatching(/^drwxrwxrwt 0\/0 +0 1980-01-01 00:00:00 tmp\/$/),
  ]);
});

test('ids, times and modes beyond ustar survive', async () => {
  const odd: TarEntry[] = [
    composeFile('a', Buffer.from('1'), 0, { uid: 0x7ffffffe, gid: 3_000_000, mtimeSeconds: 4_200_000_000 }),
    { ...composeFile('s', Buffer.from('2'), 0o4755), mtimeSeconds: 0 },
  ];
  const tar = await buffer(openTar(odd));
  expect(await listTar(Readable.from([tar]))).toEqual([
    expect.objectContaining({ path: 'a', mode: 0, uid: 0x7ffffffe, gid: 3_000_000, mtimeSeconds: 4_200_000_000 }),
    expect.objectContaining({ path: 's', mode: 0o4755, mtimeSeconds: 0 }),
  ]);
  expect(listWithGnuTar(tar)[0]).toMatch(/^---------- 2147483646\/3000000 +1 2103-/);
});

test('content comes from files and from the middle of files', async () => {
  const file = join(dir, 'content');
  writeFileSync(file, `${'.'.repeat(1000)}${'y'.repeat(3_000_000)}end`);
  const tar = openTar([
    composeFile('part', { localPath: file, sizeBytes: 5, offset: 998 }),
    composeFile('whole', { localPath: file, sizeBytes: 3_001_003 }),
    composeFile('zero', { localPath: file, sizeBytes: 0 }),
  ]);
  const [part, whole, zero] = await listTar(tar);
  expect(part?.content).toBe('..yyy');
  expect(whole?.content.length).toBe(3_001_003);
  expect(whole?.content.endsWith('yend')).toBe(true);
  expect(zero?.content).toBe('');
});

test('a file that is shorter than announced or absent fails the stream', async () => {
  const file = join(dir, 'short');
  writeFileSync(file, 'abc');
  await expect(buffer(openTar([composeFile('a', { localPath: file, sizeBytes: 5 })]))).rejects.toThrow('Size mismatch');
  const absent = openTar([composeFile('a', { localPath: join(dir, 'absent'), sizeBytes: 5 })]);
  await expect(buffer(absent)).rejects.toThrow('ENOENT');
});

test('hard links follow what they point to; a path cannot be there twice', async () => {
  const link: TarEntry = { ...composeSymlink('a', 'z'), type: 'link', target: 'z' };
  const tar = await listTar(openTar([link, composeFile('z', Buffer.from('z'))]));
  expect(tar.map(({ type, path }) => `${type} ${path}`)).toEqual(['file z', 'link a']);
  expect(() => openTar([composeDirectory('a'), composeDirectory('a')])).toThrow('two tar entries have the path a');
});

test.each(['gnu', 'pax', 'ustar'])('tars of GNU tar are read: %s', async (format) => {
  const root = join(dir, `root-${format}`);
  execFileSync('mkdir', ['-p', `${root}/sub`]);
  writeFileSync(join(root, 'sub/file'), 'hello');
  execFileSync('ln', [`${root}/sub/file`, `${root}/sub/hard`]);
  execFileSync('ln', ['-s', 'file', `${root}/sub/soft`]);
  if (format !== 'ustar') writeFileSync(join(root, `sub/${'n'.repeat(200)}`), 'n');
  execFileSync('touch', ['-h', '-d', '2001-02-03T04:05:06.789Z', `${root}/sub/file`]);
  const tar = join(dir, `${format}.tar`);
  execFileSync('tar', ['-cf', tar, `--format=${format}`, '--sort=name', '--owner=12', '--group=34', '-C', root, '.']);
  const found = await listTar(createReadStream(tar));
  const file = found.find(({ path }) => path === 'sub/file');
  expect(file).toMatchObject({
    type: 'file',
    uid: 12,
    gid: 34,
    mtimeSeconds: 981173106,
    content: 'hello',
    sizeBytes: 5,
  });
  expect(found.find(({ path }) => path === 'sub/hard')).toMatchObject({ type: 'link', target: './sub/file' });
  expect(found.find(({ path }) => path === 'sub/soft')).toMatchObject({ type: 'symlink', target: 'file' });
  expect(found.some(({ path }) => path === '')).toBe(true);
  if (format !== 'ustar') expect(found.some(({ path }) => path.endsWith('n'.repeat(200)))).toBe(true);
  const again = openTar([composeFile('x', { localPath: tar, sizeBytes: 5, offset: file?.offset ?? -1 })]);
  expect((await listTar(again))[0]?.content).toBe('hello');
});

test('a tar that is cut off, garbage or leaves the root is an error', async () => {
  const whole = await buffer(openTar([composeFile('a', Buffer.alloc(5000, 'a'))]));
  await expect(listTar(Readable.from([whole.subarray(0, 3000)]))).rejects.toThrow(/Unexpected end|destroyed/);
  await expect(listTar(Readable.from([Buffer.alloc(2048, 'q')]))).rejects.toThrow('Invalid tar header');
  const leaving = await buffer(openTar([composeFile('../evil', Buffer.from('x'))]));
  await expect(listTar(Readable.from([leaving]))).rejects.toThrow('leaves the root');
});

test('the fixed time is 1980-01-01', () => {
  expect(new Date(FIXED_MTIME_SECONDS * 1000).toISOString()).toBe('1980-01-01T00:00:00.000Z');
});
