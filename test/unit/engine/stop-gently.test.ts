import { once } from 'node:events';
import { spawnProgram, waitForClose } from '../../../src/engine/run-command.ts';
import { stopGently } from '../../../src/engine/stop-gently.ts';

const SIGTERM = 128 + 15;
const SIGKILL = 128 + 9;

async function run(script: string, timeoutMs: number): Promise<number> {
  const child = spawnProgram(['sh', '-c', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = waitForClose(child, ['sh']);
  if (child.stdout !== null) await once(child.stdout, 'data');
  stopGently(child, timeoutMs);
  return await ended;
}

test('a program and its children end by SIGTERM', async () => {
  expect(await run('sleep 60 & echo; wait', 60_000)).toBe(SIGTERM);
});

test('what does not is killed, with its children, which hold its output', async () => {
  expect(await run("trap '' TERM; sleep 60 & echo; while :; do sleep 0.02; done", 100)).toBe(SIGKILL);
});
