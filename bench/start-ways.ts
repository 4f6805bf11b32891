import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parse, stringify } from 'yaml';
import type { Toolbox } from '../src/world.ts';
import type { BenchOptions } from './bench.ts';
import { takeCriuReference } from './criu-reference.ts';
import {
  type BuiltApp,
  buildAndUnpack,
  type Command,
  composeCold,
  composeCriuRestore,
  composeRestore,
  composeVariant,
  type OperatedVariant,
} from './measured-app.ts';
import { PROBE } from './probe.ts';
import { runCommand } from './run-command.ts';
import type { MeasuredSystem } from './systems.ts';

/** How an app can be started. */
export type Way = 'cold' | 'appcds' | 'aot' | 'criu' | 'crac_build';

/** What train-archive.ts is told, as JSON in a file. */
export interface TrainOrder {
  readonly app: BuiltApp;
  readonly command: Command;
  readonly log: string;
}

/** Folder of the archives inside the unpacked root. */
const ARCHIVES = '/opt/archives';
/** AOT caches came with JDK 24, and in this form with 25 (JEP 514). */
const AOT_SINCE = 25;
/** For the build, the reference and each archive: what is compared is how they start, not how warm they are. */
const WARM_UP = '15s';

/**
 * One app in all ways, made of the same image and warmed up by the same requests
 *
 *   cold        the JVM with the user's own options and the JDK's default CDS archive
 *   appcds      with a dynamic archive of the app's classes (-XX:ArchiveClassesAtExit), of a run with the warm-up
 *   aot         with an AOT cache of such a run, profiles included (-XX:AOTCacheOutput); JDK 25
 *   criu        `criu restore` of the same JVM, prepared by the same runtime
 *   crac_build  the image's entrypoint
 */
export async function prepareWays(
  system: MeasuredSystem,
  options: BenchOptions,
  toolbox: Toolbox,
): Promise<Readonly<Partial<Record<Way, OperatedVariant>>>> {
  const { tell } = options;
  tell(`${system.key}: building`);
  await runCommand(system.build, { onStderr: tell });
  const dir = join(options.workDir, system.key);
  const app = await buildAndUnpack(options, dir, await writeConfig(system, dir));
  const { restoreArgv } = await takeCriuReference(app.plan, app.image, toolbox, dir, tell);
  const { operation } = system;
  const variant = (way: Way, command: Command, outside = false) =>
    composeVariant(app, `${system.key}_${way}_ms`, command, { outside, operation });
  const hasAot = app.plan.base.javaVersion >= AOT_SINCE;
  return {
    cold: variant('cold', composeCold(app)),
    appcds: variant('appcds', await train(app, 'ArchiveClassesAtExit', 'SharedArchiveFile', 'app.jsa', tell)),
    ...(hasAot && { aot: variant('aot', await train(app, 'AOTCacheOutput', 'AOTCache', 'app.aot', tell)) }),
    criu: variant('criu', composeCriuRestore({ ...app, criuRestoreArgv: restoreArgv }), true),
    crac_build: variant('crac_build', composeRestore(app)),
  };
}

/** The example's own, with a limit to its warm-up. */
async function writeConfig({ example }: MeasuredSystem, dir: string): Promise<string> {
  await mkdir(dir, { recursive: true });
  const config = parse(await readFile(join(example, 'crac-build.yaml'), 'utf8'));
  config.app.jar = resolve(example, config.app.jar);
  config.warmUp.until = { duration: WARM_UP };
  const path = join(dir, 'crac-build.yaml');
  await writeFile(path, stringify(config));
  return path;
}

/** Runs the app once with the warm-up, writes the archive at its end, and gives the command that uses it. */
async function train(
  app: BuiltApp,
  writing: string,
  using: string,
  name: string,
  tell: (line: string) => void,
): Promise<Command> {
  const folder = join(app.image.root, ARCHIVES);
  await mkdir(folder, { recursive: true });
  await rm(join(folder, name), { force: true });
  const path = `${ARCHIVES}/${name}`;
  const order: TrainOrder = {
    app,
    command: composeCold(app, `-XX:${writing}=${path}`),
    log: join(app.dir, `train-${name}.log`),
  };
  const orderFile = join(app.dir, `train-${name}.json`);
  await writeFile(orderFile, JSON.stringify(order));
  tell(`${name}: a run with the warm-up`);
  const script = [process.execPath, 'scripts/run-ts.mjs', 'bench/train-archive.ts', orderFile];
  await runCommand([PROBE, 'isolate', '--root', app.image.root, '--', ...script], { onStderr: tell });
  return composeCold(app, `-XX:${using}=${path}`);
}
