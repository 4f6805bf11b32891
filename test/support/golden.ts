import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Compares with test/golden/NAME; UPDATE_GOLDEN=1 writes it and is to be looked at with `git diff`. */
export function expectGolden(name: string, text: string): void {
  const path = join(import.meta.dirname, '../golden', name);
  if (process.env['UPDATE_GOLDEN'] === '1') {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  expect(existsSync(path) ? readFileSync(path, 'utf8') : `there is no ${path}`).toBe(text);
}
