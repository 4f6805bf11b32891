import { rmSync, writeFileSync } from 'node:fs';
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

test.each([
  ['missing', undefined, /^crac: cannot start: the cold command cannot be read: no such file/],
  ['damaged', 'x', /^crac: cannot start: the cold command is damaged/],
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
