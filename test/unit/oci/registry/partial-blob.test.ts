import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeAbandonedPartials, takePartial } from '../../../../src/oci/registry/partial-blob.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'partial-test-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

test('what has rested for long is in use again from the moment that it is taken', async () => {
  const hex = 'ab'.repeat(32);
  mkdirSync(join(dir, 'sha256'));
  const resting = join(dir, 'sha256', `.resume-${hex}`);
  writeFileSync(resting, 'half of');
  utimesSync(resting, 1, 1);
  const { path } = await takePartial(dir, `sha256:${hex}`);
  expect(Date.now() - statSync(path).mtimeMs).toBeLessThan(60_000);
  await removeAbandonedPartials(dir, Date.now());
  expect(readFileSync(path, 'utf8')).toBe('half of');
});
