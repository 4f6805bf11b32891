import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ROOT } from './support/build-example.ts';

const run = promisify(execFile);

test('bench restore prints one JSON object with every figure', async () => {
  const { stdout } = await run('npm', ['run', '-s', 'bench', '--', 'restore', '--json', '--runs', '3'], { cwd: ROOT });
  const { bench, machine, figures, runs } = JSON.parse(stdout);
  expect(bench).toBe('restore');
  expect(machine).toMatchObject({ cpus: expect.any(Number), kernel: expect.any(String) });
  const measured = [
    'cold_ms',
    'restore_ms',
    'criu_ms',
    'cold_container_ms',
    'restore_container_ms',
    'restorer_ms',
    'rss_mb',
  ];
  for (const key of measured) {
    expect(runs[key]).toHaveLength(3);
    expect(figures[key]).toBeGreaterThan(0);
  }
  expect(figures.layer_mb).toBeLessThanOrEqual(30);
  // Loose, as a busy machine measures: the bench itself is the place for figures.
  expect(figures.restore_ms).toBeLessThan(figures.criu_ms);
  expect(figures.restore_ms).toBeLessThan(figures.cold_ms);
  expect(figures.restorer_ms).toBeLessThan(figures.restore_ms * 2);
}, 300_000);

test('an unknown bench is wrong usage and lists those that exist', async () => {
  const failure = await run('npm', ['run', '-s', 'bench', '--', 'nothing'], { cwd: ROOT }).catch((error) => error);
  expect(failure).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('restore') });
});
