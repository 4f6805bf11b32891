import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Checkpoint, ReadyFacts } from '../src/criu/checkpoint.ts';
import { parseCpu } from '../src/criu/control.ts';
import { readDump } from '../src/criu/read-dump.ts';
import { composeCriuCommand } from '../src/criu/toolbox.ts';
import type { ServerPlan } from '../src/plan/build-plan.ts';
import { compileDump } from '../src/restore-plan/compile-dump.ts';
import { loadPageScanner } from '../src/restore-plan/page-scanner.ts';
import type { RestoreImage } from '../src/restore-plan/restore-image.ts';
import type { StepName } from '../src/steps.ts';
import type { Toolbox } from '../src/world.ts';
import type { Launch } from './launch-warmed-app.ts';
import { PROBE } from './probe.ts';
import { rootFile } from './root-file.ts';
import { runCommand } from './run-command.ts';

const NATIVE = resolve('dist/native');
export const CTL = join(NATIVE, 'ctl');
export const READY_FILE = 'ready.json';

/** What dump-by-steps.ts is told, as JSON in a file. */
export interface StepsOrder extends Launch {
  readonly plan: ServerPlan;
  readonly criu: readonly string[];
  readonly dumps: readonly { readonly dir: string; readonly skip: readonly StepName[] }[];
}

/** A dump, and what was true when it was taken. */
export type TakenDump = Pick<Checkpoint, 'imagesDir' | 'ready' | 'cpu'>;

/**
 * Dumps of one warmed app, one for each list of steps that are left out, in that order; by the JDK of this machine, without a
 * container. `argv`: the plan's own unless it is given, with its paths inside the image.
 */
export async function takeDumps(
  plan: ServerPlan,
  toolbox: Toolbox,
  workDir: string,
  skips: readonly (readonly StepName[])[],
  argv: readonly string[] = plan.command.argv,
): Promise<readonly TakenDump[]> {
  await rm(workDir, { recursive: true, force: true });
  await mkdir(workDir, { recursive: true });
  const order: StepsOrder = {
    plan,
    argv: argv.map((word) => localise(word, plan)),
    environment: { PATH: process.env['PATH'] ?? '', ...plan.app.environment },
    log: join(workDir, 'app.log'),
    criu: composeCriuCommand(toolbox, toolbox.dir),
    dumps: skips.map((skip, index) => ({ dir: join(workDir, `dump-${index}`), skip })),
  };
  const orderFile = join(workDir, 'order.json');
  await writeFile(orderFile, JSON.stringify(order));
  const script = [process.execPath, 'scripts/run-ts.mjs', 'bench/dump-by-steps.ts', orderFile];
  await runCommand([PROBE, 'isolate', '--', ...script]);
  const cpu = parseCpu(await runCommand([CTL, 'cpu']));
  return await Promise.all(
    order.dumps.map(async ({ dir }) => {
      const ready: ReadyFacts = JSON.parse(await readFile(join(dir, READY_FILE), 'utf8'));
      return { imagesDir: dir, ready, cpu };
    }),
  );
}

/** As a build does it. */
export async function compileTaken(dump: TakenDump, skip: readonly StepName[], outDir: string): Promise<RestoreImage> {
  await mkdir(outDir, { recursive: true });
  const { scanner } = loadPageScanner(NATIVE);
  return await compileDump(readDump(dump.imagesDir), { ...dump, rootFile }, 'map', outDir, scanner, new Set(skip));
}

/** The image's paths → where the same lies on this machine. */
function localise(word: string, { base, app }: ServerPlan): string {
  if (word === app.imagePath && app.source !== undefined) return app.source.path;
  const jdk = base.kind === 'jdk' ? base.path : base.jvm.home;
  return word.replace('/opt/java/', `${jdk}/`).replace('/opt/crac/', `${NATIVE}/`);
}
