import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ROOT } from './support/build-example.ts';

const run = promisify(execFile);

test('scripts/demo builds the example, starts it cold and restored, and prints the outcome', async () => {
  try {
    const { stdout } = await run('scripts/demo', [], { cwd: ROOT });
    const [cold = '', coldState = '', restored = '', restoredState = ''] = stdout.trimEnd().split('\n').slice(-4);
    const timeOf = (line: string) => Number(/first response after (\d+\.\d) ms/.exec(line)?.[1]);
    expect(cold).toMatch(/^started cold: /);
    expect(restored).toMatch(/^restored: /);
    expect(timeOf(restored)).toBeLessThan(timeOf(cold));
    expect(coldState).toContain('"value":null');
    expect(restoredState).toContain('"value":"made during warm-up"');
  } finally {
    await run('docker', ['rmi', '-f', 'crac-build-demo:latest']);
  }
}, 180_000);
