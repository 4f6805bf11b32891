import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PARTS = ['restore', 'ctl', 'libcrac.so', 'crac.jar']; // of the runtime layer

test('what goes into images is the same bytes wherever and whenever it is made', () => {
  const native = new URL('../../native', import.meta.url).pathname;
  const work = mkdtempSync(join(tmpdir(), 'reproducible-test-'));
  try {
    const [once, again] = ['once', 'again'].map((name) => {
      const out = join(work, name);
      execFileSync('make', ['-s', '-C', native, `OUT=${out}`, ...PARTS.map((part) => join(out, part))]);
      return PARTS.map((part) => [part, readFileSync(join(out, part)).toString('base64')]);
    });
    expect(PARTS.filter((_, index) => once?.[index]?.[1] !== again?.[index]?.[1])).toEqual([]);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}, 120_000);
