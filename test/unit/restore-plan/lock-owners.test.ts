import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VMA } from '../../../src/criu/schema.ts';
import { decodeMessage } from '../../../src/criu/wire.ts';
import { findLockOwners } from '../../../src/restore-plan/lock-owners.ts';
import { ProcessMemory } from '../../../src/restore-plan/process-memory.ts';
import { encodeMessage } from './criu-encoder.ts';

const dir = mkdtempSync(join(tmpdir(), 'lock-owners-test-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const BASE = 0x500000;
const PAGE = 4096;
const TIDS = [7, 30, 31];
const WAITERS = 0x80000000;
const NONE = { start: 0, end: 0 };

const recursive = (tid: number) => [2, 3, tid, 1, 1, 0, 0, 0, 0, 0];
const checking = (tid: number) => [1, 0, tid, 1, 2, 0, 0, 0, 0, 0];
const robust = (tid: number) => [tid | WAITERS, 0, tid, 1, 16, 0, 0x1234, 0x7f00, 0x1234, 0x7f00];
const inheriting = (tid: number) => [tid, 0, tid, 1, 32, 0, 0, 0, 0, 0];
const writeLocked = (tid: number) => [3, 0, 1, 1, 0, 0, tid, 0, 0, 0, 0, 0, 0];

/** Each lock by its place; two pages that are two runs in the dump. */
function find(locks: Readonly<Record<number, readonly number[]>>, { prot = 3, heap = NONE } = {}) {
  const bytes = Buffer.alloc(2 * PAGE);
  for (const [at, words] of Object.entries(locks))
    for (const [index, word] of words.entries()) bytes.writeUInt32LE(word >>> 0, Number(at) + index * 4);
  writeFileSync(join(dir, 'pages'), bytes);
  using memory = new ProcessMemory(join(dir, 'pages'), [
    { address: BASE, pageCount: 1, offset: 0 },
    { address: BASE + PAGE, pageCount: 1, offset: PAGE },
  ]);
  const vma = decodeMessage(VMA, encodeMessage({ 1: BASE, 2: BASE + 2 * PAGE, 5: prot, 6: 0x22, 7: 0x201 }));
  const none = { start: 0, size: 0 };
  return findLockOwners(TIDS, { mapped: [vma], guards: [], vvar: none, vdso: none }, memory, heap);
}

test('a recursive or error-checking lock gets its owner’s new id', () => {
  expect(find({ 64: recursive(30), 128: checking(7) })).toEqual([
    { address: BASE + 64 + 8, thread: 1 },
    { address: BASE + 128 + 8, thread: 0 },
  ]);
});

test('what the kernel looks at gets it, too, beside the bits of the kernel', () => {
  expect(find({ 64: robust(31), 128: inheriting(30) })).toEqual([
    { address: BASE + 64 + 8, thread: 2 },
    { address: BASE + 64, thread: 2, bits: WAITERS },
    { address: BASE + 128 + 8, thread: 1 },
    { address: BASE + 128, thread: 1, bits: 0 },
  ]);
});

test('who writes under a lock for readers and writers can unlock it', () => {
  expect(find({ 64: writeLocked(31) })).toEqual([{ address: BASE + 64 + 24, thread: 2 }]);
});

test('a lock on the edge of two pages is found', () => {
  expect(find({ [PAGE - 16]: recursive(30) })).toEqual([{ address: BASE + PAGE - 8, thread: 1 }]);
  expect(find({ [PAGE - 8]: writeLocked(30) })).toEqual([{ address: BASE + PAGE + 16, thread: 1 }]);
});

test.each([
  ['an owner that is no thread', recursive(8)],
  ['a lock that is free', [0, ...recursive(30).slice(1)]],
  ['a mutex whose owner nobody reads', [2, 0, 30, 1, 0, 0, 0, 0, 0, 0]],
  ['a recursive lock that is held no time', [1, 0, ...recursive(30).slice(2)]],
  ['more after it than belongs to a lock', [...recursive(30).slice(0, 8), 5, 0]],
  ['a robust lock that is in no list', [...robust(30).slice(0, 6), 0, 0, 0, 0]],
  ['a lock that is held to read', [...writeLocked(30).map((word, index) => (index === 0 ? 8 : word))]],
  ['numbers', [30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30]],
])('%s is left alone', (_, words) => {
  expect(find({ 64: words })).toEqual([]);
});

test('the Java heap and what cannot be written hold none', () => {
  expect(find({ 64: recursive(30) }, { heap: { start: BASE, end: BASE + 8 * PAGE } })).toEqual([]);
  expect(find({ 64: recursive(30) }, { prot: 1 })).toEqual([]);
});
