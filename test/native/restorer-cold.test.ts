import { rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { launch, makeState, setUpRestorer, writeCold } from './restorer-setup.ts';

setUpRestorer('restore');

test('off: silently', async () => {
  const state = await makeState();
  expect(launch(state.dir, { env: { CRAC_RESTORE: 'off' }, args: ['a'] })).toMatchObject({ status: 3, stderr: '' });
});

test('ignored signals stay ignored, others get their default again', async () => {
  const state = await makeState({ sections: () => ({ thread: [], tidfix: [] }) });
  writeCold(state.dir, '1', '/bin/cat', '/proc/self/status');
  const { lines } = launch(state.dir, { prefix: ['env', '--ignore-signal=HUP'] });
  expect(lines.filter((line) => /^Sig(Blk|Ign|Cgt)/.test(line))).toEqual([
    'SigBlk:\t0000000000000000',
    'SigIgn:\t0000000000000001',
    'SigCgt:\t0000000000000000',
  ]);
});

test.each([0, 1])('descriptor %d stays closed where the container gives none', async (fd) => {
  const { dir } = await makeState({ header: { mailbox_nonce: 5 } }); // given up when everything has been changed
  const script = 'for fd in 0 1 2; do [ -e /proc/self/fd/$fd ] && echo $fd >&2; done';
  writeCold(dir, '9', '/bin/sh', '-c', script);
  const { stderr } = launch(dir, { prefix: ['sh', '-c', `exec "$@" ${fd}>&-`, 'sh'] });
  const open = [0, 1, 2].filter((each) => each !== fd);
  expect(stderr).toBe(`crac: starting cold: the app's mailbox is not at 30000000\n${open.join('\n')}\n`);
});

test.each([
  ['missing', undefined, /^crac: cannot start: the cold command \/\S+\/cold cannot be read: no such file/],
  ['damaged', 'x', /^crac: cannot start: the cold command is damaged/],
  ['too long', `0\0/bin/cat\0${'x\0'.repeat(32768)}`, /^crac: cannot start: the cold command is damaged/],
  ['without a command', '0\0', /^crac: cannot start: the cold command is damaged/],
  ['of a program that is not there', '0\0/nowhere\0', /^crac: cannot start: \/nowhere: no such file/],
])('cold command %s: exit 125', async (_, text, message) => {
  const state = await makeState();
  const cold = join(state.dir, 'cold');
  rmSync(cold);
  if (text !== undefined) writeFileSync(cold, text);
  const { status, stderr } = launch(state.dir, { env: { CRAC_RESTORE: 'off' } });
  expect(status).toBe(125);
  expect(stderr).toMatch(message);
});

test('a cold command of 65534 bytes is the longest', async () => {
  const { dir } = await makeState();
  const start = (bytes: number) => {
    const word = 'x'.repeat(bytes - '0 /bin/echo  '.length);
    writeCold(dir, '0', '/bin/echo', word);
    expect(statSync(join(dir, 'cold')).size).toBe(bytes);
    const { status, lines } = launch(dir, { env: { CRAC_RESTORE: 'off' } });
    return { status, isWhole: lines[0] === word };
  };
  expect(start(65534)).toEqual({ status: 0, isWhole: true });
  expect(start(65535)).toEqual({ status: 125, isWhole: false });
});

test('a mode that does not exist: exit 125', async () => {
  const state = await makeState();
  const { status, stderr } = launch(state.dir, { env: { CRAC_RESTORE: 'perhaps' } });
  expect({ status, stderr }).toEqual({
    status: 125,
    stderr: 'crac: cannot restore: CRAC_RESTORE is "perhaps", it must be auto, require or off\n',
  });
});

test('CRAC_COLD points to another cold command', async () => {
  const state = await makeState();
  const other = join(state.dir, 'other-cold');
  writeFileSync(other, '9\0/bin/echo\0other\0');
  const { lines } = launch(state.dir, { env: { CRAC_RESTORE: 'off', CRAC_COLD: other }, args: ['last', '-Dk=v'] });
  expect(lines).toEqual(['other -Dk=v last']);
});

test.each([
  ['1', '-Dk=v -Dl= first second last -x'],
  ['2', 'first -Dk=v -Dl= second last -x'],
  ['3', 'first second -Dk=v -Dl= last -x'],
  ['4', 'first second -Dk=v -Dl= last -x'],
])('the properties of the container go to place %s', async (place, line) => {
  const { dir } = await makeState();
  writeCold(dir, place, '/bin/echo', 'first', 'second');
  const { lines } = launch(dir, { env: { CRAC_RESTORE: 'off' }, args: ['-Dk=v', 'last', '-x', '-Dl='] });
  expect(lines).toEqual([line]);
});

test.each(['missing/', 'link'])('the cold command is found where the checkpoint is not: %s', async (name) => {
  const { dir } = await makeState();
  writeCold(dir, '9', '/bin/echo', 'cold');
  symlinkSync('/nowhere', join(dir, 'link'));
  const { lines, stderr } = launch(dir, { env: { CRAC_CHECKPOINT: join(dir, name) } });
  expect({ lines, stderr }).toEqual({
    lines: ['cold'],
    stderr: expect.stringMatching(/^crac: starting cold: .*plan\.bin: no such file or directory\n$/),
  });
});

describe('very much handed over', () => {
  // More than a process may give on with the usual limit of the stack, so it is made in between.
  const large = (environment: string, args: string): string[] => {
    const script = `import os, sys; os.execve(sys.argv[1], sys.argv[1:] + ${args}, {**os.environ, **${environment}})`;
    return ['prlimit', '--stack=67108864', 'python3', '-c', script];
  };

  test.each([
    {
      name: 'an environment of 2 MB',
      prefix: large('{f"LONG_{i}": "x" * 110000 for i in range(20)}', '[]'),
      sum: '0 2200000',
    },
    { name: 'arguments of 2 MB', prefix: large('{}', '["x" * 110000] * 20'), sum: '2200000 0' },
    {
      name: 'an environment larger than the mailbox',
      prefix: large('{f"L{i}": "x" * 110000 for i in range(10)}', '[]'),
      sum: '0 1100000',
    },
    { name: '150000 arguments', prefix: large('{}', '["x"] * 150000'), sum: '150000 0' },
  ])('$name: started cold, with all of it', async ({ prefix, sum }) => {
    const state = await makeState();
    const count =
      'import os, sys; print(len("".join(sys.argv[1:])), sum(len(v) for k, v in os.environ.items() if k[0] == "L" and len(v) == 110000))';
    writeCold(state.dir, '9', '/usr/bin/python3', '-c', count);
    const { lines, stderr } = launch(state.dir, { prefix });
    expect(stderr).toMatch(
      /^crac: starting cold: arguments and environment are too large to be handed over \(\d+ bytes\)\n$/,
    );
    expect(lines).toEqual([sum]);
  });

  test('an environment that just fits is restored', async () => {
    const { dir } = await makeState();
    const prefix = large('{f"LONG_{i}": "x" * 110000 for i in range(9)}', '[]');
    const { status, stderr, lines } = launch(dir, { prefix });
    const isRight = lines.some((line) => line.endsWith('data_size right'));
    expect({ status, stderr, isRight }).toEqual({ status: 42, stderr: '', isRight: true });
  });
});
