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

/** plain-http, built and unpacked: what the variants of a start are made from. */
export interface BuiltApp {
  readonly dir: string;
  readonly plan: ServerPlan;
  readonly image: UnpackedImage;
}

/** Dumped by CRIU, too. */
export interface MeasuredApp extends BuiltApp {
  readonly criuRestoreArgv: readonly string[];
}

/** One way to start the app. */
export interface Variant {
  readonly key: string;
  readonly start: () => Promise<FirstResponse>;
}

/** One that can be asked on. */
export interface OperatedVariant extends Variant {
  readonly operate: (counts: readonly number[]) => Promise<FirstResponse>;
}

export interface Command {
  readonly argv: readonly string[];
  /** All of it, as NAME=value. */
  readonly environment: readonly string[];
}

export const CONFIG = 'examples/plain-http/crac-build.yaml';
const CRAC_BUILD = [process.execPath, 'dist/crac-build.js'];

/** `liveMb`: what the app holds besides its own few megabytes; the heap may then grow to twice as much. */
export async function buildApp(options: BenchOptions, toolbox: Toolbox, liveMb: number): Promise<MeasuredApp> {
  const dir = join(options.workDir, liveMb === 0 ? 'small' : `${liveMb}mb`);
  const config = liveMb === 0 ? CONFIG : await writeConfig(dir, `/keep?mb=${liveMb}`, [`-Xmx${2 * liveMb}m`]);
  const app = await buildAndUnpack(options, dir, config);
  const { restoreArgv } = await takeCriuReference(app.plan, app.image, toolbox, dir, options.tell);
  return { ...app, criuRestoreArgv: restoreArgv };
}

/** The image, for JVMs with the bench's own options, unpacked in `dir`. `more`: further flags of the command line. */
export async function buildAndUnpack(
  options: BenchOptions,
  dir: string,
  config = CONFIG,
  more: readonly string[] = [],
): Promise<BuiltApp> {
  const { tell } = options;
  await mkdir(dir, { recursive: true });
  const layout = join(dir, 'image');
  const flags = [...composeFlags(options, config), '--engine', 'oci', '--output', `oci:${layout}`, ...more];
  const plan = await askPlan(flags);
  tell(`building the image: Java ${plan.base.javaVersion}, ${plan.javaOptions.join(' ')}`);
  await rm(layout, { recursive: true, force: true });
  await runCommand([...CRAC_BUILD, 'build', '--no-cache', ...flags], { onStderr: tell });
  return { dir, plan, image: await unpackImage(layout, join(dir, 'root')) };
}

/** What a build would do. */
export async function planApp(
  options: Pick<BenchOptions, 'base' | 'javaOptions'>,
  config = CONFIG,
): Promise<ServerPlan> {
  return await askPlan(composeFlags(options, config));
}

async function askPlan(flags: readonly string[]): Promise<ServerPlan> {
  return JSON.parse(await runCommand([...CRAC_BUILD, 'plan', '--json', ...flags]));
}

export function composeFlags(
  { base, javaOptions }: Pick<BenchOptions, 'base' | 'javaOptions'>,
  config: string,
): readonly string[] {
  return [
    ...['--config', config],
    ...(base === undefined ? [] : ['--base', base]),
    ...javaOptions.map((option) => `--java-option=${option}`),
  ];
}

/** The example's own configuration, with `request` as the last of its warm-up and `javaOptions` behind its own. */
export async function writeConfig(dir: string, request: string, javaOptions: readonly string[] = []): Promise<string> {
  await mkdir(dir, { recursive: true });
  const config = parse(await readFile(CONFIG, 'utf8'));
  config.app.jar = resolve(dirname(CONFIG), config.app.jar);
  config.app.javaOptions = [...config.app.javaOptions, ...javaOptions];
  config.warmUp.requests.push({ path: request, count: 1 });
  const file = join(dir, 'crac-build.yaml');
  await writeFile(file, stringify(config));
  return file;
}

export function composeRestore({ image }: BuiltApp, ...environment: readonly string[]): Command {
  return { argv: ['/opt/crac/restore'], environment: [...image.environment, 'CRAC_RESTORE=require', ...environment] };
}

/** The JVM with the user's own options, its CDS archive and nothing of ours but `more`. */
export function composeCold({ plan, image }: BuiltApp, ...more: readonly string[]): Command {
  const { argv, jvmOptionIndex } = plan.command;
  const java = argv.slice(0, 1);
  return {
    argv: [...java, ...more, ...plan.javaOptions, ...argv.slice(jvmOptionIndex)],
    environment: image.environment,
  };
}

export function composeCriuRestore({ criuRestoreArgv }: MeasuredApp): Command {
  return { argv: criuRestoreArgv, environment: [] };
}

/** Started as root in namespaces of its own, in the unpacked image or, `outside`, with it mounted where it is. */
export function composeVariant(
  { dir, plan, image }: BuiltApp,
  key: string,
  command: Command,
  { outside = false, log = join(dir, `${key}.log`), operation = undefined as string | undefined } = {},
): OperatedVariant {
  const { answer } = plan.verify;
  if (answer.kind !== 'http') throw new Error('only an app that answers GET can be measured');
  const { port, path } = answer;
  const order = { ...command, root: image.root, inRoot: !outside, port, path: operation ?? path, log };
  return { key, start: () => measureStart(order), operate: (operations) => measureStart({ ...order, operations }) };
}
