// Runs inside `probe isolate`: starts the app, warms it up as a build does, and has CRIU dump it, each time prepared with
// other steps. In between it goes on, as an app does that was not dumped.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReadyFacts } from '../src/criu/checkpoint.ts';
import { DESCRIPTOR_FACTS } from '../src/criu/descriptor-facts.ts';
import { jvmStepsOf } from '../src/steps.ts';
import { composeDumpArgv } from './criu-reference.ts';
import { launchWarmedApp } from './launch-warmed-app.ts';
import { runCommand } from './run-command.ts';
import { CTL, READY_FILE, type StepsOrder } from './take-dumps.ts';

const order: StepsOrder = JSON.parse(await readFile(process.argv[2] ?? '', 'utf8'));
const { plan, criu, dumps } = order;
{
  await using app = await launchWarmedApp(plan, order);
  const pid = ['--pid', String(app.pid)];
  for (const { dir, skip } of dumps) {
    await mkdir(dir, { recursive: true });
    const left = jvmStepsOf(skip);
    const flags = ['--settle-ms', String(plan.checkpoint.settleMs), ...(left.length ? ['--skip', left.join(',')] : [])];
    const ready = await runCommand([CTL, 'checkpoint', ...flags, ...pid]);
    await writeFile(join(dir, READY_FILE), ready);
    await runCommand([...composeDumpArgv({ criu, dumpDir: dir }, app.pid), '--leave-stopped']);
    await writeFile(join(dir, DESCRIPTOR_FACTS), await runCommand([CTL, 'descriptors', ...pid]));
    process.kill(app.pid, 'SIGCONT');
    const { mailbox }: ReadyFacts = JSON.parse(ready);
    await runCommand([CTL, 'resume', mailbox.address, ...pid]);
  }
}
process.exit(0);
