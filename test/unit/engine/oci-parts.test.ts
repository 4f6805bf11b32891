import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLineRing } from '../../../src/engine/line-ring.ts';
import { composeRuntimeSpec } from '../../../src/engine/oci-spec.ts';
import { readUser } from '../../../src/engine/oci-users.ts';
import { composeOwner, isOwnerGone } from '../../../src/engine/owner.ts';
import { resolveInRoot } from '../../../src/engine/resolve-in-root.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'crac-build-parts-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test('paths are resolved as inside the root, whatever links say', async () => {
  mkdirSync(join(root, 'a/b'), { recursive: true });
  symlinkSync('/a', join(root, 'absolute'));
  symlinkSync('../../../../../../etc', join(root, 'a/climb'));
  symlinkSync('absolute/b', join(root, 'chain'));
  symlinkSync('loop', join(root, 'loop'));
  const resolve = async (path: string, followLast = false): Promise<string> =>
    (await resolveInRoot(root, path, { followLast })).slice(root.length);
  expect(await resolve('/absolute/b/new')).toBe('/a/b/new');
  expect(await resolve('/a/climb/passwd')).toBe('/etc/passwd');
  expect(await resolve('/../../x')).toBe('/x');
  expect(await resolve('/chain')).toBe('/chain');
  expect(await resolve('/chain', true)).toBe('/a/b');
  expect(await resolve('/chain/../c')).toBe('/a/c');
  await expect(resolve('/loop/x')).rejects.toThrow('too many links');
});

test('users are looked up in the image', async () => {
  mkdirSync(join(root, 'etc'));
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\napp:x:1001:1002::/home/app:/bin/sh\n');
  writeFileSync(join(root, 'etc/group'), 'staff:x:50:\n');
  expect(await readUser(root, '')).toEqual({ uid: 0, gid: 0, home: '/root' });
  expect(await readUser(root, 'app')).toEqual({ uid: 1001, gid: 1002, home: '/home/app' });
  expect(await readUser(root, 'app:staff')).toEqual({ uid: 1001, gid: 50, home: '/home/app' });
  expect(await readUser(root, '7')).toEqual({ uid: 7, gid: 0, home: '/' });
  await expect(readUser(root, 'nobody')).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
});

test('an owner is gone when its process is, or when its id belongs to another one now', () => {
  expect(isOwnerGone(composeOwner())).toBe(false);
  expect(isOwnerGone(composeOwner().replace(/\d+$/, '1'))).toBe(true);
  const gone = composeOwner().replace(/\d+:\d+$/, '2147483000:5');
  expect(isOwnerGone(gone)).toBe(true);
  expect(isOwnerGone(`another-${gone}`)).toBe(false);
  // Process ids and start times of another namespace say nothing here.
  expect(isOwnerGone(gone.replace(hostname(), `${hostname()}:4026530000`))).toBe(false);
  expect(isOwnerGone(gone.replace(/\d+(?=:2147483000:5)/, '4026530000'))).toBe(false);
  expect(isOwnerGone('')).toBe(false);
});

test('the last lines of two streams are kept in order, and the unfinished ones last', () => {
  const ring = createLineRing(3);
  const [out, err] = [ring.openWriter(), ring.openWriter()];
  out(Buffer.from('one\ntw'));
  err(Buffer.from('error\r\n'));
  out(Buffer.from('o\nthree\nfour'));
  expect(ring.lastLines(10)).toEqual(['error', 'two', 'three', 'four']);
  expect(ring.lastLines(2)).toEqual(['three', 'four']);
});

test('a runtime spec has no capability that was not asked for, and none in effect for others than root', () => {
  const image = {
    architecture: 'amd64',
    os: 'linux',
    user: '1000',
    environment: { A: 'image', B: 'image' },
    entrypoint: ['/opt/crac/restore'],
    command: ['x'],
    workingDir: '/app',
    ports: [],
    labels: {},
    stopSignal: 'SIGTERM',
  } as const;
  const place = {
    image,
    user: { uid: 1000, gid: 1000, home: '/' },
    hostName: 'h',
    cgroupsPath: '/c',
    files: { '/etc/hosts': '/x/hosts' },
    knowsCheckpointRestore: false,
  };
  const wanted = {
    image: 'i',
    name: 'n',
    environment: { B: 'spec' },
    capabilities: ['CHECKPOINT_RESTORE', 'SYS_ADMIN'],
    seccomp: 'default',
    noNewPrivileges: true,
    readOnlyRoot: true,
    tmpfs: ['/tmp'],
    memoryBytes: 1000,
    ports: [],
    network: 'isolated',
  } as const;
  const spec = composeRuntimeSpec(wanted, place) as Record<string, never>;
  expect(spec).toMatchObject({
    process: {
      args: ['/opt/crac/restore', 'x'],
      env: expect.arrayContaining(['A=image', 'B=spec', 'HOME=/', 'HOSTNAME=h']),
      cwd: '/app',
      noNewPrivileges: true,
      capabilities: { bounding: ['CAP_SYS_ADMIN'], effective: [], permitted: [], inheritable: [], ambient: [] },
    },
    root: { readonly: true },
    linux: { resources: { memory: { limit: 1000 } } },
  });
  expect(JSON.stringify(spec)).not.toContain('rlimits');
  expect(composeRuntimeSpec({ ...wanted, entrypoint: ['/e'] }, place)).toMatchObject({ process: { args: ['/e'] } });
  const host = composeRuntimeSpec({ ...wanted, network: 'host' }, place) as { linux: { namespaces: object[] } };
  expect(host.linux.namespaces).not.toContainEqual({ type: 'network' });
});
