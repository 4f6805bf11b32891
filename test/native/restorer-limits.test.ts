import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { anyUser, launch, listen, makeState, run, setUpRestorer, writeCold } from './restorer-setup.ts';

setUpRestorer('restore');

/** A control group of its own; `prefix` starts a command in it. */
function limitMemory(bytes: number): Disposable & { readonly prefix: readonly string[] } {
  const isV2 = statSync('/sys/fs/cgroup/cgroup.controllers', { throwIfNoEntry: false }) !== undefined;
  const group = join(isV2 ? '/sys/fs/cgroup' : '/sys/fs/cgroup/memory', `restorer-test-${process.pid}`);
  mkdirSync(group);
  writeFileSync(join(group, isV2 ? 'memory.max' : 'memory.limit_in_bytes'), `${bytes}`);
  return {
    prefix: ['sh', '-c', `echo $$ > ${group}/cgroup.procs && exec "$@"`, 'sh'],
    [Symbol.dispose]: () => void run('rmdir', [group]),
  };
}

test('no more threads', async () => {
  const state = await makeState();
  writeCold(state.dir, '1', '/bin/echo', 'cold');
  const { lines, stderr } = launch(state.dir, { prefix: [...anyUser, 'prlimit', '--nproc=1'] });
  expect({ lines, stderr }).toEqual({
    lines: ['cold'],
    stderr: 'crac: starting cold: thread 2 of 2 cannot be made: resource temporarily unavailable\n',
  });
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

test('control group with less memory than needed', async () => {
  const state = await makeState();
  using group = limitMemory(32 << 20);
  const { status, stderr } = launch(state.dir, { prefix: group.prefix });
  expect({ status, stderr }).toEqual({
    status: 3,
    stderr: 'crac: starting cold: not enough memory: 64 MiB needed, the limit is 32 MiB\n',
  });
});

test('control group with less memory than the heap may take', async () => {
  const state = await makeState({ header: { needed_bytes: 16 << 20, max_heap_bytes: 48 << 20 } });
  using group = limitMemory(32 << 20);
  expect(launch(state.dir, { prefix: group.prefix })).toMatchObject({
    status: 3,
    stderr:
      'crac: starting cold: the heap at the checkpoint may grow to 48 MiB, the memory limit is 32 MiB: set -Xmx for the build\n',
  });
});
