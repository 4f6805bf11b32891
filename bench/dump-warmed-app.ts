// Runs inside `probe isolate`: starts the app in the image's root, warms it up as a build does, and has CRIU dump it.
import { readFileSync } from 'node:fs';
import type { ReadyFacts } from '../src/criu/checkpoint.ts';
import { composeDumpArgv, type DumpOrder } from './criu-reference.ts';
import { launchWarmedApp } from './launch-warmed-app.ts';
import { runCommand } from './run-command.ts';
import { wakeInDump } from './wake-in-dump.ts';

const order: DumpOrder = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
const { plan, image } = order;
const tell = (line: string) => process.stderr.write(`${line}\n`);
const chroot = ['/usr/sbin/chroot', image.root];

tell('criu reference: launching and warming up the app');
{
  await using app = await launchWarmedApp(plan, {
    argv: [...chroot, ...plan.command.argv],
    environment: Object.fromEntries(image.environment.map((variable) => splitVariable(variable))),
    log: order.log,
  });
  tell('criu reference: preparing the app');
  const ready: ReadyFacts = JSON.parse(
    await runCommand([...chroot, '/opt/crac/ctl', 'checkpoint', '--pid', String(app.pid)]),
  );
  tell('criu reference: dumping');
  await runCommand(composeDumpArgv(order, app.pid));
  wakeInDump(order.dumpDir, ready.mailbox.address);
}
process.exit(0);

function splitVariable(variable: string): [string, string] {
  const at = variable.indexOf('=');
  return [variable.slice(0, at), variable.slice(at + 1)];
}
