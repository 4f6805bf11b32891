import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DumpedThread } from '../../../src/criu/read-dump.ts';
import { CORE } from '../../../src/criu/schema.ts';
import { decodeMessage } from '../../../src/criu/wire.ts';
import { javascriptScanner } from '../../../src/restore-plan/page-scanner.ts';
import { ProcessMemory } from '../../../src/restore-plan/process-memory.ts';
import { findTidFixes } from '../../../src/restore-plan/tid-fixes.ts';
import { encodeMessage } from './criu-encoder.ts';

const dir = mkdtempSync(join(tmpdir(), 'tid-fixes-test-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const BASE = 0x500000;
const tlsOf = (index: number) => 0x7f0000000000n + BigInt(index) * 0x10000n;
const threads: DumpedThread[] = [0, 1, 2, 3].map((index) => ({
  tid: 1000 + index,
  core: decodeMessage(CORE, encodeMessage({ 2: { 2: { 22: tlsOf(index) } } })),
}));

function find(pairs: readonly (readonly [at: number, thread: number, distance: number])[]) {
  const page = Buffer.alloc(4096);
  for (const [at, thread, distance] of pairs) {
    page.writeBigUInt64LE(tlsOf(thread), at);
    page.writeUInt32LE(1000 + thread, at + distance);
  }
  writeFileSync(join(dir, 'pages'), page);
  using memory = new ProcessMemory(join(dir, 'pages'), [{ address: BASE, pageCount: 1, offset: 0 }]);
  return findTidFixes(threads, memory, javascriptScanner);
}

test('the distance that most threads share is the one, up to the 184 bytes of JDK 17', () => {
  expect(
    find([
      [512, 1, 184],
      [1024, 2, 184],
      [1536, 3, 184],
      [2048, 1, 16],
      [2560, 2, 16],
    ]),
  ).toEqual([
    { address: BASE + 512 + 184, thread: 1 },
    { address: BASE + 1024 + 184, thread: 2 },
    { address: BASE + 1536 + 184, thread: 3 },
  ]);
});

test('chance pairs of one or two threads are left alone', () => {
  expect(
    find([
      [512, 1, 16],
      [1024, 2, 16],
    ]),
  ).toEqual([]);
});

test('a pair is found where it lies across what is read at once', () => {
  const CHUNK = 4 << 20;
  const bytes = Buffer.alloc(3 * CHUNK + 4096);
  const places = [CHUNK - 8, 2 * CHUNK - 8, 3 * CHUNK - 8];
  for (const [index, at] of places.entries()) {
    bytes.writeBigUInt64LE(tlsOf(index + 1), at);
    bytes.writeUInt32LE(1001 + index, at + 16);
  }
  writeFileSync(join(dir, 'pages'), bytes);
  using memory = new ProcessMemory(join(dir, 'pages'), [{ address: BASE, pageCount: bytes.length / 4096, offset: 0 }]);
  expect(findTidFixes(threads, memory, javascriptScanner)).toEqual(
    places.map((at, index) => ({ address: BASE + at + 16, thread: index + 1 })),
  );
});
