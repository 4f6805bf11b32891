import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeOpenFolder, writeOpenFile } from '../../../src/engine/open-to-all.ts';

test('what a container sees is open to its user, whatever the umask; what is there stays as it is', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'open-test-'));
  const modeOf = (path: string) => statSync(path).mode & 0o777;
  const usual = process.umask(0o077);
  try {
    await makeOpenFolder(join(dir, 'a/b/c'));
    await makeOpenFolder(join(dir, 'a/b'));
    await writeOpenFile(join(dir, 'a/hosts'), 'x');
  } finally {
    process.umask(usual);
  }
  expect(['a', 'a/b', 'a/b/c', 'a/hosts'].map((path) => modeOf(join(dir, path)))).toEqual([0o755, 0o755, 0o755, 0o644]);
  expect(modeOf(dir)).toBe(0o700);
  rmSync(dir, { recursive: true });
});
