/** What the container or the host grants too little of. */
import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { anyUser, launch, listen, makeState, run, setUpRestorer, writeCold } from './restorer-setup.ts';

setUpRestorer('restore');

const isV2 = statSync('/sys/fs/cgroup/cgroup.controllers', { throwIfNoEntry: false }) !== undefined;

/** A control group of its own; `prefix` starts a command in it. */
function limitGroup(controller: 'memory' | 'pids', file: string, value: number): Disposable & { prefix: string[] } {
  const group = join('/sys/fs/cgroup', isV2 ? '' : controller, `restorer-test-${process.pid}`);
  mkdirSync(group);
  const remove = () => void run('rmdir', [group]);
  try {
    writeFileSync(join(group, file), `${value}`);
  } catch (error) {
    remove();
    throw error;
  }
  return { prefix: ['sh', '-c', `echo $$ > ${group}/cgroup.procs && exec "$@"`, 'sh'], [Symbol.dispose]: remove };
}

/** Starts a command that sees these files as its control groups, whichever version the machine has. */
function showGroups(dir: string, own: string, files: Readonly<Record<string, string>>): string[] {
  const root = join(dir, 'groups');
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  writeFileSync(join(dir, 'own'), own);
  const script = `mount --bind ${root} /sys/fs/cgroup && mount --bind ${dir}/own /proc/$$/cgroup && exec "$@"`;
  return ['unshare', '--mount', 'sh', '-c', script, 'sh'];
}

test.each([
  ['of the user (ulimit -u)', (): string[] => [...anyUser, 'prlimit', '--nproc=1'], undefined],
  ['of the control group (--pids-limit)', (): string[] => [], { value: 2 }],
])('no more threads: limit %s', async (_, prefixOf, limit) => {
  const state = await makeState();
  writeCold(state.dir, '1', '/bin/echo', 'cold');
  using group = limit === undefined ? undefined : limitGroup('pids', 'pids.max', limit.value);
  const { lines, stderr } = launch(state.dir, { prefix: group?.prefix ?? prefixOf() });
  const reason = 'thread 2 of 2 cannot be made: the limit of processes is reached (--pids-limit, ulimit -u)';
  expect({ lines, stderr }).toEqual({ lines: ['cold'], stderr: `crac: starting cold: ${reason}\n` });
});

test.each([
  ['no more than the container allows, where the build had more', 4096, 'nofile 200'],
  ["the container's, where the build tells none", 0, 'nofile 100'],
])('open files: %s', async (_, softLimit, line) => {
  const { dir } = await makeState({ header: { nofile_soft: softLimit } });
  const { status, stderr, lines } = launch(dir, { prefix: ['prlimit', '--nofile=100:200'] });
  expect({ status, stderr }).toEqual({ status: 42, stderr: '' });
  expect(lines).toContain(line);
});

test('port in use', async () => {
  await using server = await listen(0);
  const state = await makeState({ port: server.port });
  const { status, stderr } = launch(state.dir);
  expect({ status, stderr }).toEqual({
    status: 3,
    stderr: `crac: starting cold: port ${server.port} cannot be bound: address already in use\n`,
  });
});

test.each([
  ['--as=67108864', /cannot be mapped: the limit of address space is 65536 KiB \(RLIMIT_AS, ulimit -v\)\n$/],
  ['--data=67108864', /cannot be mapped: the limit of data is 65536 KiB \(RLIMIT_DATA, ulimit -d\)\n$/],
])('prlimit %s', async (limit, reason) => {
  const large = { kind: 1, address: 0x40000000, length: 128 << 20, prot: 3, flags: 0x22 };
  const { dir } = await makeState({ moreMemory: [large] });
  const { status, stderr } = launch(dir, { prefix: ['prlimit', limit] });
  expect(stderr).toMatch(/^crac: starting cold: memory at 40000000 \(131072 KiB\) /);
  expect(stderr).toMatch(reason);
  expect(status).toBe(3);
});

test('a checkpoint that this user may not read', async () => {
  const { dir } = await makeState();
  chmodSync(join(dir, 'checkpoint'), 0o700);
  expect(launch(dir, { prefix: anyUser })).toMatchObject({
    status: 3,
    stderr: `crac: starting cold: ${dir}/checkpoint/plan.bin: permission denied\n`,
  });
});

const needsMore = 'not enough memory: 64 MiB needed, the limit is 32 MiB';

test('the control group has less memory than needed', async () => {
  const state = await makeState();
  using group = limitGroup('memory', isV2 ? 'memory.max' : 'memory.limit_in_bytes', 32 << 20);
  const { status, stderr } = launch(state.dir, { prefix: group.prefix });
  expect({ status, stderr }).toEqual({ status: 3, stderr: `crac: starting cold: ${needsMore}\n` });
});

test.each<{ name: string; own: string; files: Record<string, string>; reason?: string }>([
  { name: 'version 2, own group', own: '0::/a/b\n', files: { 'a/b/memory.max': `${32 << 20}\n` }, reason: needsMore },
  {
    name: 'version 2, as a container sees it',
    own: '0::/\n',
    files: { 'memory.max': `${32 << 20}\n` },
    reason: needsMore,
  },
  {
    name: "version 2, path of the host's",
    own: '0::/docker/123\n',
    files: { 'memory.max': `${32 << 20}\n` },
    reason: needsMore,
  },
  { name: 'version 2, no limit', own: '0::/a\n', files: { 'a/memory.max': 'max\n' } },
  {
    name: 'version 1, own group',
    own: '12:cpu,cpuacct:/x\n4:memory:/a\n0::/\n',
    files: { 'memory/a/memory.limit_in_bytes': `${32 << 20}\n` },
    reason: needsMore,
  },
  {
    name: 'version 1, controllers together',
    own: '4:hugetlb,memory:/\n',
    files: { 'memory/memory.limit_in_bytes': `${32 << 20}\n` },
    reason: needsMore,
  },
  {
    name: 'version 1, no limit',
    own: '4:memory:/\n',
    files: { 'memory/memory.limit_in_bytes': '9223372036854771712\n' },
  },
  { name: 'no control groups', own: '\n', files: { none: '' } },
])('memory limit: $name', async ({ own, files, reason }) => {
  const { dir } = await makeState();
  const { status, stderr } = launch(dir, { prefix: showGroups(dir, own, files) });
  const isCold = reason !== undefined;
  expect({ status, stderr }).toEqual({
    status: isCold ? 3 : 42,
    stderr: isCold ? `crac: starting cold: ${reason}\n` : '',
  });
});

test('the limit is below what the heap may take', async () => {
  const { dir } = await makeState({ header: { needed_bytes: 16 << 20, max_heap_bytes: 48 << 20 } });
  const prefix = showGroups(dir, '0::/\n', { 'memory.max': `${32 << 20}` });
  expect(launch(dir, { prefix })).toMatchObject({
    status: 3,
    stderr:
      'crac: starting cold: the heap at the checkpoint may grow to 48 MiB, the memory limit is 32 MiB: set -Xmx for the build\n',
  });
});
