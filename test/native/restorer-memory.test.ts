/** Memory when the kernel gives less than was asked for. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { launch, makeState, setUpRestorer } from './restorer-setup.ts';

setUpRestorer('restore-with-faults');

test.each(['1', '2', '4', '100'])('a read that gives %s bytes at most is gone on with', async (limit) => {
  const state = await makeState();
  const env = { CRAC_RESTORE: 'require', CRAC_SHORT_READS: limit };
  const { status, lines, stderr } = launch(state.dir, { build: 'restore-with-faults', env });
  expect({ status, stderr }).toEqual({ status: 42, stderr: '' });
  expect(lines).toContain('late fresh error 14');
});

/** The real limit is far away on some machines, and is everybody's. */
test('the limit of mappings is named where it is near (vm.max_map_count)', async () => {
  const { dir } = await makeState();
  const limit = join(dir, 'limit');
  const script = `mount --bind ${limit} /proc/sys/vm/max_map_count && exec "$@"`;
  const prefix = ['unshare', '--mount', 'sh', '-c', script, 'sh'];
  const reasonWith = (mappings: number): string => {
    writeFileSync(limit, `${mappings}\n`);
    for (let at = 1; ; at++) {
      const env = { CRAC_RESTORE: 'require', CRAC_FAULT_AT: `${at}`, CRAC_FAULT_WITH: '12' };
      const { stderr } = launch(dir, { build: 'restore-with-faults', env, prefix });
      const [, reason] = /memory at .* cannot be mapped: (.*)/.exec(stderr) ?? [];
      if (reason !== undefined || !stderr.startsWith('fault ')) return reason ?? 'no mapping failed';
    }
  };
  expect(reasonWith(20)).toBe('a process may have 20 mappings here (sysctl vm.max_map_count)');
  expect(reasonWith(65530)).toBe('cannot allocate memory');
}, 20_000);
