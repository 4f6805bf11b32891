// Runs inside `probe isolate`: starts the app in the image's root, warms it up as a build does, and has it end by itself, at which
// it writes its archive.
import { existsSync, readFileSync } from 'node:fs';
import { launchWarmedApp } from './launch-warmed-app.ts';
import type { TrainOrder } from './start-ways.ts';

/** An AOT cache is made by a JVM of its own, which the first one waits for. */
const END_MS = 240_000;

const { app, command, log }: TrainOrder = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
const { plan, image } = app;
{
  await using started = await launchWarmedApp(plan, {
    argv: ['/usr/sbin/chroot', image.root, ...command.argv],
    environment: Object.fromEntries(
      image.environment.map((variable) => [
        variable.slice(0, variable.indexOf('=')),
        variable.slice(variable.indexOf('=') + 1),
      ]),
    ),
    log,
  });
  process.kill(started.pid, 'SIGTERM');
  const deadline = Date.now() + END_MS;
  while (existsSync(`/proc/${started.pid}`)) {
    if (Date.now() > deadline) throw new Error('the app did not end');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
const archive = command.argv.find((word) => /^-XX:(?:ArchiveClassesAtExit|AOTCacheOutput)=/.test(word)) ?? '';
const path = `${image.root}${archive.slice(archive.indexOf('=') + 1)}`;
if (!existsSync(path)) throw new Error(`no archive was written: ${readFileSync(log, 'utf8').slice(-1000)}`);
process.exit(0);
