import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { composeCriuCommand } from '../src/criu/toolbox.ts';
import type { BuildPlan } from '../src/plan/build-plan.ts';
import type { Toolbox } from '../src/world.ts';
import { PROBE } from './probe.ts';
import { runCommand } from './run-command.ts';
import type { UnpackedImage } from './unpack-image.ts';

/** What dump-warmed-app.ts is told, as JSON in a file. */
export interface DumpOrder {
  readonly plan: BuildPlan;
  readonly image: UnpackedImage;
  readonly dumpDir: string;
  readonly criu: readonly string[];
  readonly log: string;
}

/** CRIU as its users run it, and what this kind of process needs. */
const FLAGS = ['--shell-job', '--tcp-close', '--manage-cgroups=ignore'];

/**
 * A CRIU dump of the same app, in the same files, warmed by the same requests and prepared by the same runtime. It is a
 * dump of its own because here the JVM must not be process 1: `criu restore` is.
 */
export async function takeCriuReference(
  plan: BuildPlan,
  image: UnpackedImage,
  toolbox: Toolbox,
  workDir: string,
  tell: (line: string) => void,
): Promise<{ readonly restoreArgv: readonly string[] }> {
  const dumpDir = join(workDir, 'criu-dump');
  await rm(dumpDir, { recursive: true, force: true });
  await mkdir(dumpDir, { recursive: true });
  const criu = composeCriuCommand(toolbox, toolbox.dir);
  const order: DumpOrder = { plan, image, dumpDir, criu, log: join(workDir, 'criu-reference.log') };
  const orderFile = join(workDir, 'dump-order.json');
  await writeFile(orderFile, JSON.stringify(order));
  await runCommand(
    [
      PROBE,
      'isolate',
      '--root',
      image.root,
      '--',
      process.execPath,
      'scripts/run-ts.mjs',
      'bench/dump-warmed-app.ts',
      orderFile,
    ],
    { onStderr: tell },
  );
  return { restoreArgv: [...criu, 'restore', '-D', dumpDir, '-o', 'restore.log', ...FLAGS] };
}

export function composeDumpArgv(
  { criu, dumpDir }: Pick<DumpOrder, 'criu' | 'dumpDir'>,
  pid: number,
): readonly string[] {
  return [...criu, 'dump', '-t', String(pid), '-D', dumpDir, '-o', 'dump.log', ...FLAGS];
}
