import { composeAccounts } from '../../../src/base/accounts.ts';
import { composeModules, parseModuleDeps } from '../../../src/base/find-modules.ts';
import { composeRootFolders } from '../../../src/base/root-folders.ts';
import { runTool } from '../../../src/base/run-tool.ts';
import { parseLdd } from '../../../src/base/shared-libraries.ts';
import type { TarEntry } from '../../../src/tar/entry.ts';

const signal = new AbortController().signal;

function textOf(entries: readonly TarEntry[], path: string): string {
  const entry = entries.find((each) => each.path === path);
  return entry?.type === 'file' && Buffer.isBuffer(entry.content) ? entry.content.toString() : `no file ${path}`;
}

test('ldd: found libraries and the loader, once each; not the vdso, not what is missing', () => {
  const out = [
    '/tmp/java/bin/java:',
    '\tlinux-vdso.so.1 (0x00007ffd3a5f2000)',
    '\tlibz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x00007f2a3c000000)',
    '\tlibX11.so.6 => not found',
    '\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f2a3be00000)',
    '\t/lib64/ld-linux-x86-64.so.2 (0x00007f2a3c234000)',
    '/tmp/java/lib/libnet.so:',
    '\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f6a3be00000)',
    '/tmp/static:',
    '\tnot a dynamic executable',
    '',
  ].join('\n');
  expect(parseLdd(out)).toEqual([
    '/lib/x86_64-linux-gnu/libc.so.6',
    '/lib/x86_64-linux-gnu/libz.so.1',
    '/lib64/ld-linux-x86-64.so.2',
  ]);
});

test('jdeps: the list is the last line', () => {
  expect(parseModuleDeps('Warning: split package\njava.base,java.sql\n')).toEqual(['java.base', 'java.sql']);
  expect(() => parseModuleDeps('Error: something\n')).toThrow('no list of modules');
});

test('modules: sorted, with companions, only those that the JDK has', () => {
  expect(
    composeModules(['java.naming', 'java.base', 'jdk.crypto.ec'], ['java.base', 'java.naming', 'jdk.naming.dns']),
  ).toEqual(['java.base', 'java.naming', 'jdk.naming.dns']);
});

test('accounts: root, the app and nobody', () => {
  const entries = composeAccounts({ uid: 10001, gid: 10002 });
  expect(textOf(entries, 'etc/passwd').split('\n')).toEqual([
    'root:x:0:0:root:/root:/sbin/nologin',
    'app:x:10001:10002:app:/app:/sbin/nologin',
    'nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin',
    '',
  ]);
  expect(textOf(entries, 'etc/group')).toBe('root:x:0:\napp:x:10002:\nnogroup:x:65534:\n');
  expect(textOf(composeAccounts({ uid: 0, gid: 0 }), 'etc/passwd')).not.toContain('app:');
});

test("folders: /tmp is everyone's, /root is not", () => {
  const modes = new Map(composeRootFolders('Java').map(({ path, mode }) => [path, mode]));
  expect(modes.get('tmp')).toBe(0o1777);
  expect(modes.get('var/tmp')).toBe(0o1777);
  expect(modes.get('root')).toBe(0o700);
  for (const path of ['proc', 'sys', 'dev', 'run', 'etc']) expect(modes.get(path)).toBe(0o755);
});

test('a tool that fails tells its words and how to try it', async () => {
  await expect(runTool('sh', ['-c', 'echo first; echo second >&2; exit 3'], signal)).rejects.toMatchObject({
    code: 'JDK_TOOL_FAILED',
    message: 'sh ended with exit code 3: first',
    hint: expect.stringContaining('sh -c'),
    details: ['first', 'second'],
  });
});

test("a tool runs without the user's JVM options", async () => {
  process.env['JAVA_TOOL_OPTIONS'] = '-Dx=y';
  try {
    expect(await runTool('sh', ['-c', 'echo "[$JAVA_TOOL_OPTIONS] $LC_ALL"'], signal)).toBe('[] C.UTF-8\n');
  } finally {
    delete process.env['JAVA_TOOL_OPTIONS'];
  }
});
