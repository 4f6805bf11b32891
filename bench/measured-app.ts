import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parse, stringify } from 'yaml';
import type { ServerPlan } from '../src/plan/build-plan.ts';
import type { Toolbox } from '../src/world.ts';
import type { BenchOptions } from './bench.ts';
import { takeCriuReference } from './criu-reference.ts';
import { type FirstResponse, measureStart } from './probe.ts';
import { runCommand } from './run-command.ts';
import { type UnpackedImage, unpackImage } from './unpack-image.ts';

/** plain-http, built, unpacked and dumped by CRIU, too: what the variants of a start are made from. */
export interface MeasuredApp {
  readonly dir: string;
  readonly plan: ServerPlan;
  readonly image: UnpackedImage;
  readonly criuRestoreArgv: readonly string[];
}

/** One way to start the app. */
export interface Variant {
  readonly key: string;
  readonly start: () => Promise<FirstResponse>;
}

interface Command {
  readonly argv: readonly string[];
  /** All of it, as NAME=value. */
  readonly environment: readonly string[];
}

const CONFIG = 'examples/plain-http/crac-build.yaml';

/** `liveMb`: what the app holds besides its own few megabytes; the heap may then grow to twice as much. */
export async function buildApp(options: BenchOptions, toolbox: Toolbox, liveMb: number): Promise<MeasuredApp> {
  const { tell } = options;
  const dir = join(options.workDir, liveMb === 0 ? 'small' : `${liveMb}mb`);
  await mkdir(dir, { recursive: true });
  const layout = join(dir, 'image');
  const flags = [
    ...[
      '--config',
      liveMb === 0 ? CONFIG : await writeConfig(dir, liveMb),
      '--engine',
      'oci',
      '--output',
      `oci:${layout}`,
    ],
    ...(options.base === undefined ? [] : ['--base', options.base]),
    ...options.javaOptions.flatMap((option) => [`--java-option=${option}`]),
  ];
  const crac = [process.execPath, 'dist/crac-build.js'];
  const plan: ServerPlan = JSON.parse(await runCommand([...crac, 'plan', '--json', ...flags]));
  tell(`building the image: Java ${plan.base.javaVersion}, ${plan.javaOptions.join(' ')}`);
  await rm(layout, { recursive: true, force: true });
  await runCommand([...crac, 'build', ...flags], { onStderr: tell });
  const image = await unpackImage(layout, join(dir, 'root'));
  const { restoreArgv } = await takeCriuReference(plan, image, toolbox, dir, tell);
  return { dir, plan, image, criuRestoreArgv: restoreArgv };
}

/** The example's own configuration, but for what the app is to hold. */
async function writeConfig(dir: string, liveMb: number): Promise<string> {
  const config = parse(await readFile(CONFIG, 'utf8'));
  config.app.jar = resolve(dirname(CONFIG), config.app.jar);
  config.app.javaOptions = [...config.app.javaOptions, `-Xmx${2 * liveMb}m`];
  config.warmUp.requests.push({ path: `/keep?mb=${liveMb}`, count: 1 });
  const file = join(dir, 'crac-build.yaml');
  await writeFile(file, stringify(config));
  return file;
}

export function composeRestore({ image }: MeasuredApp, ...environment: readonly string[]): Command {
  return { argv: ['/opt/crac/restore'], environment: [...image.environment, 'CRAC_RESTORE=require', ...environment] };
}

/** The JVM with the user's own options, its CDS archive and nothing of ours. */
export function composeCold({ plan, image }: MeasuredApp): Command {
  const argv = ['/opt/java/bin/java', ...plan.javaOptions, '-jar', plan.app.imagePath, ...plan.app.arguments];
  return { argv, environment: image.environment };
}

export function composeCriuRestore({ criuRestoreArgv }: MeasuredApp): Command {
  return { argv: criuRestoreArgv, environment: [] };
}

/** Started as root in namespaces of its own, in the unpacked image or, `outside`, with it mounted where it is. */
export function composeVariant(
  { dir, plan, image }: MeasuredApp,
  key: string,
  command: Command,
  { outside = false, log = join(dir, `${key}.log`) } = {},
): Variant {
  const { answer } = plan.verify;
  if (answer.kind !== 'http') throw new Error('only an app that answers GET can be measured');
  const { port, path } = answer;
  return { key, start: () => measureStart({ ...command, root: image.root, inRoot: !outside, port, path, log }) };
}
