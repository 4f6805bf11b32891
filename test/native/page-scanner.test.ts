/** The native scanner of pages and the one in JavaScript: the same tests for both, and the same results for anything. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { javascriptScanner, loadPageScanner, type PageScanner } from '../../src/restore-plan/page-scanner.ts';
import { compileSample, HEAP, LIBRARY, makeSample } from '../unit/restore-plan/sample-dump.ts';

const PAGE = 4096;
const repo = new URL('../..', import.meta.url).pathname;
const work = mkdtempSync(join(tmpdir(), 'page-scanner-test-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));
const addon = join(work, 'pages.node');
execFileSync('make', ['-s', '-C', join(repo, 'native'), `OUT=${work}`, addon]);
const { scanner: nativeScanner, missing } = loadPageScanner(work);

describe.each<[string, PageScanner]>([
  ['native', nativeScanner],
  ['javascript', javascriptScanner],
])('%s', (_, scanner) => {
  test('a page is zero when every byte is', () => {
    const bytes = Buffer.alloc(4 * PAGE);
    bytes[PAGE] = 1;
    bytes[3 * PAGE - 1] = 1;
    const verdicts = new Uint8Array(4).fill(7);
    scanner.findZeroPages(bytes, verdicts);
    expect([...verdicts]).toEqual([1, 0, 0, 1]);
  });

  test('pages are equal when every byte is', () => {
    const bytes = Buffer.alloc(3 * PAGE, 'x');
    const others = Buffer.from(bytes);
    others[2 * PAGE - 1] = 0;
    others[2 * PAGE] = 0;
    const verdicts = new Uint8Array(3);
    scanner.findEqualPages(bytes, others, verdicts);
    expect([...verdicts]).toEqual([1, 0, 0]);
  });

  test('words are found where they are aligned, in order', () => {
    const bytes = Buffer.alloc(64);
    const words = [5n, 0x7f00_0000_0008n, 0xffff_ffff_ffff_fff8n];
    for (const [index, at] of [48, 0, 24].entries()) bytes.writeBigUInt64LE(words[index] ?? 0n, at);
    bytes.writeBigUInt64LE(words[1] ?? 0n, 12);
    expect(scanner.findWords(bytes, BigUint64Array.from(words))).toEqual([0, 24, 48]);
    expect(scanner.findWords(bytes, new BigUint64Array())).toEqual([]);
  });

  test('a range is copied to its place, as far as the file has it', () => {
    const from = join(work, 'from');
    const to = join(work, 'to');
    writeFileSync(from, 'abcdefgh');
    writeFileSync(to, '--------');
    const fds = [openSync(from, 'r'), openSync(to, 'r+')] as const;
    expect(scanner.copyRange(fds[0], 2, fds[1], 4, 3)).toBe(3);
    expect(readFileSync(to, 'latin1')).toBe('----cde-');
    expect(scanner.copyRange(fds[0], 6, fds[1], 0, 9)).toBe(2);
    expect(readFileSync(to, 'latin1')).toBe('gh--cde-');
    for (const fd of fds) closeSync(fd);
  });
});

test('the native one is really there, and takes nothing that it would read beyond', () => {
  expect(missing).toBeUndefined();
  const pages = Buffer.alloc(2 * PAGE);
  expect(() => nativeScanner.findZeroPages(pages, new Uint8Array(1))).toThrow(/a verdict for each/);
  expect(() => nativeScanner.findZeroPages(pages.subarray(1), new Uint8Array(2))).toThrow(/whole pages/);
  expect(() => nativeScanner.findEqualPages(pages, pages.subarray(PAGE), new Uint8Array(2))).toThrow(/as many others/);
  expect(() => nativeScanner.findWords(pages.subarray(1), new BigUint64Array(1))).toThrow(/whole words/);
  expect(() => nativeScanner.findWords(pages, new Uint32Array(1) as never)).toThrow(/BigUint64Array/);
});

test('where there is none, or a broken one, JavaScript does it and the reason is told', () => {
  const absent = loadPageScanner(join(work, 'nowhere'));
  expect(absent.scanner).toBe(javascriptScanner);
  expect(absent.missing).toContain('nowhere/pages.node');
  mkdirSync(join(work, 'broken'));
  writeFileSync(join(work, 'broken/pages.node'), 'no library');
  expect(loadPageScanner(join(work, 'broken'))).toMatchObject({ scanner: javascriptScanner, missing: /./ });
});

/** Numbers below `limit`, the same ones in every run with the same seed (mulberry32). */
function randomNumbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

const seed = Number(process.env['CRAC_TEST_SEED'] ?? Date.now() % 1e9);

test(`both say the same of random pages (CRAC_TEST_SEED=${seed})`, () => {
  const random = randomNumbers(seed);
  for (let round = 0; round < 100; round++) {
    const pageCount = 1 + random(12);
    const bytes = Buffer.alloc(pageCount * PAGE);
    const words = Array.from({ length: 1 + random(6) }, () => (BigInt(random(4)) << 32n) | BigInt(random(1 << 20)));
    for (let change = random(20); change > 0; change--) {
      if (random(2) === 0) bytes[random(bytes.length)] = random(256);
      else bytes.writeBigUInt64LE(words[random(words.length)] ?? 0n, random(bytes.length - 8));
    }
    const others = Buffer.from(bytes);
    for (let change = random(4); change > 0; change--) others[random(bytes.length)] = random(256);
    const wanted = BigUint64Array.from(words).sort();
    const [natively, inJavascript] = [nativeScanner, javascriptScanner].map((scanner) => {
      const zero = new Uint8Array(pageCount);
      const equal = new Uint8Array(pageCount);
      scanner.findZeroPages(bytes, zero);
      scanner.findEqualPages(bytes, others, equal);
      return { zero, equal, words: scanner.findWords(bytes, wanted) };
    });
    expect(natively).toEqual(inJavascript);
  }
});

test(`a dump of random pages compiles to the same plan and memory (CRAC_TEST_SEED=${seed})`, async () => {
  const random = randomNumbers(seed);
  for (let round = 0; round < 3; round++) {
    const sample = makeSample();
    const pageCount = 1500; // more than are read at once
    sample.vmas[0] = { ...sample.vmas[0], 2: HEAP + pageCount * PAGE };
    for (let page = 0; page < pageCount; page++) {
      const kind = random(8);
      if (kind > 1) sample.pages.set(HEAP + page * PAGE, Buffer.alloc(PAGE, kind > 3 ? 0 : `${page}`));
      else sample.pages.delete(HEAP + page * PAGE);
    }
    sample.pages.set(LIBRARY, Buffer.alloc(PAGE, random(2) === 0 ? 'L' : 'l'));
    const natively = await compileSample(sample, 'map', nativeScanner);
    const inJavascript = await compileSample(sample, 'map', javascriptScanner);
    expect(natively.plan.equals(inJavascript.plan)).toBe(true);
    expect(natively.mem.equals(inJavascript.mem)).toBe(true);
    rmSync(sample.dir, { recursive: true });
  }
}, 30_000);
