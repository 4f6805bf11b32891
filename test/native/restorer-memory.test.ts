/** Memory that is read when the kernel gives less than was asked for. */
import { launch, makeState, setUpRestorer } from './restorer-setup.ts';

setUpRestorer('restore-with-faults');

test.each(['1', '2', '4', '100'])('a read that gives %s bytes at most is gone on with', async (limit) => {
  const state = await makeState();
  const env = { CRAC_RESTORE: 'require', CRAC_SHORT_READS: limit };
  const { status, lines, stderr } = launch(state.dir, { build: 'restore-with-faults', env });
  expect({ status, stderr }).toEqual({ status: 42, stderr: '' });
  expect(lines).toContain('late fresh error 14');
});
