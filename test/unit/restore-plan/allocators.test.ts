import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findAllocators } from '../../../src/restore-plan/allocators.ts';

const dir = mkdtempSync(join(tmpdir(), 'allocators-test-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function library(name: string, code: string) {
  const source = join(dir, `${name}.c`);
  const localPath = join(dir, name);
  writeFileSync(source, code);
  execFileSync('gcc', ['-shared', '-fPIC', '-nostdlib', '-o', localPath, source]);
  return mapped(`/app/lib/${name}`, localPath);
}

const mapped = (path: string, localPath: string) =>
  ({ id: 1, path, localPath, sizeBytes: 1, mtimeSeconds: 1, sha256: Buffer.alloc(32) }) as const;

const CALLS = 'int madvise(void *, unsigned long, int); int give(void *at) { return madvise(at, 4096, 4); }';

test('whatever calls madvise, or is it, may be an allocator; the JVM and the C library are known', async () => {
  writeFileSync(join(dir, 'app.jar'), 'madvise\0');
  const allocator = library('libmalloc.so', CALLS);
  const files = [
    library('libplain.so', 'int plain(void) { return 1; }'),
    allocator,
    allocator,
    library('libstatic.so', 'int madvise(void *at, unsigned long size, int advice) { return 0; }'),
    library('libjvm.so', CALLS),
    library('libc.so.6', CALLS),
    library('libnetty_tcnative_linux_x86_648527145228411524385.so', CALLS),
    library('libcryptography.so', CALLS),
    mapped('/app/app.jar', join(dir, 'app.jar')),
  ];
  const found = await findAllocators(files);
  expect(found).toEqual(['libmalloc.so', 'libstatic.so', 'libcryptography.so'].map((name) => `/app/lib/${name}`));
});
