// Runs inside `probe isolate`: starts the app in the image's root, warms it up as a build does, and has CRIU dump it.
import { spawn } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import type { ReadyFacts } from '../src/criu/checkpoint.ts';
import type { Container, ContainerExit } from '../src/engine/engine.ts';
import { isServer } from '../src/plan/build-plan.ts';
import { warmUpApp } from '../src/stages/warm-up.ts';
import { waitForProbe } from '../src/warm-up/wait-for-probe.ts';
import type { World } from '../src/world.ts';
import { composeDumpArgv, type DumpOrder } from './criu-reference.ts';
import { runCommand } from './run-command.ts';
import { wakeInDump } from './wake-in-dump.ts';

const order: DumpOrder = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
const { plan, image } = order;
if (!isServer(plan)) throw new Error('only an app that answers requests can be measured');
const log = openSync(order.log, 'w');
const tell = (line: string) => process.stderr.write(`${line}\n`);

const app = spawn('/usr/sbin/chroot', [image.root, ...plan.command.argv], {
  env: Object.fromEntries(image.environment.map((variable) => splitVariable(variable))),
  stdio: ['ignore', log, log],
  detached: true,
});
const exited = new Promise<ContainerExit>((resolve) => {
  app.on('exit', (code, signal) => resolve({ exitCode: code ?? (signal === 'SIGKILL' ? 137 : 128) }));
});
/** As much of a container as readiness and warm-up need. */
const container = {
  exited,
  endpoint: async (port: number) => ({ host: '127.0.0.1', port }),
  lastLines: async () => readFileSync(order.log, 'utf8').trimEnd().split('\n').slice(-20),
} as unknown as Container;
const { signal } = new AbortController();

try {
  tell('criu reference: launching and warming up the app');
  const patience = { timeoutMs: 60_000, intervalMs: 25, user: '0:0' };
  const response = await waitForProbe(container, plan.verify.answer, patience, signal);
  if (response.outcome !== 'ready') throw new Error(`the app did not become ready: ${response.outcome}`);
  const world = { report: () => {}, signal } as unknown as World;
  await warmUpApp(plan, { container, [Symbol.asyncDispose]: async () => {} }, world);
  tell('criu reference: preparing the app');
  const ctl = ['/usr/sbin/chroot', image.root, '/opt/crac/ctl'];
  const ready: ReadyFacts = JSON.parse(await runCommand([...ctl, 'checkpoint', '--pid', String(app.pid)]));
  tell('criu reference: dumping');
  await runCommand(composeDumpArgv(order, app.pid ?? 0));
  wakeInDump(order.dumpDir, ready.mailbox.address);
} finally {
  if (app.exitCode === null && app.signalCode === null) app.kill('SIGKILL');
  await exited;
}
process.exit(0);

function splitVariable(variable: string): [string, string] {
  const at = variable.indexOf('=');
  return [variable.slice(0, at), variable.slice(at + 1)];
}
