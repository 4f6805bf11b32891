import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { build } from 'esbuild';

const root = resolve(import.meta.dirname, '../../..');
let dir: string;
let program: string;
beforeAll(async () => {
  dir = mkdtempSync(join(root, 'node_modules/.run-command-test-'));
  program = join(dir, 'program.mjs');
  await build({
    stdin: { contents: PROGRAM, resolveDir: root, loader: 'ts' },
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
  });
});
afterAll(() => rmSync(dir, { recursive: true }));

/** Works until it is aborted, takes a while to dispose, and reports while it does. */
const PROGRAM = `
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { runCommand } from './src/cli/run-command.ts';
process.exitCode = await runCommand({ json: false, hasStages: true }, async ({ report, signal }) => {
  writeFileSync(process.argv[2] + '/working', '');
  for (let step = 0; !signal.aborted; step++) {
    report({ type: 'stage-progress', stage: 'launch', text: 'step ' + step });
    await sleep(20);
  }
  for (let step = 0; step < 10; step++) {
    report({ type: 'stage-progress', stage: 'launch', text: 'disposing ' + step });
    await sleep(20);
  }
  writeFileSync(process.argv[2] + '/disposed', '');
  throw new Error('aborted');
});
`;

async function start(): Promise<{ child: ChildProcess; folder: string; ended: Promise<unknown[]> }> {
  const folder = mkdtempSync(join(tmpdir(), 'run-command-'));
  const child = spawn(process.execPath, [program, folder], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stderr?.resume();
  const ended = new Promise<unknown[]>((resolve) => child.once('exit', (...how) => resolve(how)));
  while (!existsSync(join(folder, 'working'))) await sleep(20);
  return { child, folder, ended };
}

test.each([
  ['SIGHUP', 129],
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)(
  '%s lets everything be disposed of, even where nobody reads any more: exit code %i',
  async (signal, code) => {
    const { child, folder, ended } = await start();
    child.stdout?.destroy();
    child.stderr?.destroy();
    await sleep(100);
    child.kill(signal);
    expect(await ended).toEqual([code, null]);
    expect(existsSync(join(folder, 'disposed'))).toBe(true);
    rmSync(folder, { recursive: true });
  },
);

test('a closed terminal is told by the kernel and by the shell: the second SIGHUP changes nothing', async () => {
  const { child, folder, ended } = await start();
  child.kill('SIGHUP');
  await sleep(50);
  child.kill('SIGHUP');
  expect(await ended).toEqual([129, null]);
  expect(existsSync(join(folder, 'disposed'))).toBe(true);
  rmSync(folder, { recursive: true });
});

test('who asks a second time does not want to wait', async () => {
  const { child, folder, ended } = await start();
  child.kill('SIGINT');
  await sleep(50);
  child.kill('SIGINT');
  expect(await ended).toEqual([130, null]);
  expect(existsSync(join(folder, 'disposed'))).toBe(false);
  rmSync(folder, { recursive: true });
});
