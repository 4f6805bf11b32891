import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { CracBuildError } from '../errors.ts';
import type { Toolbox } from '../world.ts';
import { collectFromProgram, collectFromRoot } from './collect-toolbox.ts';
import { parseCriuVersion, requireCriuVersion } from './criu-version.ts';
import { extractCriu } from './extract-criu.ts';
import { runTool } from './run-tool.ts';

/** DIR/toolbox.json; beside it `criu`, its loader and `lib/`. */
const toolboxFile = z.object({
  criuVersion: z.string(),
  /** As in `Toolbox`. */
  criuCommand: z.array(z.string()).min(1),
  /** Where it came from: versions of packages by name; empty when unknown. */
  packages: z.record(z.string(), z.string()),
});
export type ToolboxFile = z.infer<typeof toolboxFile>;

interface OpenOptions {
  readonly cacheDir: string;
  readonly signal: AbortSignal;
}

/** The user's CRIU, the toolbox in the user's folder, or our own, which is made when there is none yet. */
export async function openToolbox(
  options: OpenOptions & { readonly criu?: string | undefined; readonly dir?: string | undefined },
): Promise<Toolbox> {
  if (options.criu !== undefined) return await openFromProgram(resolve(options.criu), options);
  if (options.dir !== undefined) return await openFromFolder(resolve(options.dir), options);
  const dir = toolboxFolder(options.cacheDir);
  if (await exists(join(dir, 'toolbox.json'))) return await checkToolbox(dir, options.signal);
  return await makeToolbox(options);
}

/** Where `makeToolbox` and `importToolbox` put it. */
export function toolboxFolder(cacheDir: string): string {
  return join(cacheDir, 'toolbox', 'current');
}

/** Makes a new one with mmdebstrap from Debian's archive, as this machine's apt reaches it. */
export async function makeToolbox({ cacheDir, signal }: OpenOptions): Promise<Toolbox> {
  return await placeToolbox(toolboxFolder(cacheDir), signal, async (partial) => {
    const root = `${partial}.root`;
    try {
      const packages = await extractCriu(root, signal);
      await collectFromRoot(root, partial, packages);
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  });
}

/** Runs the CRIU of a toolbox where it lies and compares it with what the folder says. */
export async function checkToolbox(dir: string, signal: AbortSignal): Promise<Toolbox> {
  const { criuCommand, criuVersion } = await readToolboxFile(dir);
  const toolbox: Toolbox = { dir, criuCommand, criuVersion };
  const actual = await readVersion(toolbox, signal);
  if (actual !== criuVersion) {
    throw new CracBuildError('CRIU_UNSUITABLE', `the toolbox in ${dir} says CRIU ${criuVersion}, but it is ${actual}`, {
      hint: 'Make it again: crac-build toolbox --make',
    });
  }
  requireCriuVersion(actual, dir);
  return toolbox;
}

/** `criuCommand` for a toolbox that lies in `dir`. */
export function composeCriuCommand({ criuCommand }: Pick<Toolbox, 'criuCommand'>, dir: string): readonly string[] {
  return criuCommand.map((part) => part.replaceAll('{}', dir));
}

/** Fills a folder beside the final one, checks it at its final place, and puts the old one back when that fails. */
export async function placeToolbox(
  dir: string,
  signal: AbortSignal,
  fill: (partial: string) => Promise<void>,
): Promise<Toolbox> {
  const id = randomUUID();
  const partial = `${dir}.partial-${id}`;
  const previous = `${dir}.previous-${id}`;
  await mkdir(partial, { recursive: true });
  try {
    await fill(partial);
    await checkToolbox(partial, signal); // before anything that works is moved away
    await rename(dir, previous).catch(() => undefined); // there was none
    await rename(partial, dir);
    return await checkToolbox(dir, signal);
  } finally {
    await rm(partial, { recursive: true, force: true });
    await rm(previous, { recursive: true, force: true });
  }
}

async function openFromProgram(program: string, { cacheDir, signal }: OpenOptions): Promise<Toolbox> {
  const facts = await stat(program).catch((cause: unknown) => {
    throw new CracBuildError('INPUT_NOT_FOUND', `there is no CRIU at ${program}`, {
      hint: '--criu takes the path of the program itself.',
      cause,
    });
  });
  const key = createHash('sha256').update(`${program}\n${facts.size}\n${facts.mtimeMs}`).digest('hex').slice(0, 16);
  const dir = join(cacheDir, 'toolbox', `criu-${key}`);
  if (await exists(join(dir, 'toolbox.json'))) return await checkToolbox(dir, signal);
  return await placeToolbox(dir, signal, (partial) => collectFromProgram(program, partial, signal));
}

/** A toolbox, or the root of an unpacked system that has CRIU in it. */
async function openFromFolder(dir: string, { cacheDir, signal }: OpenOptions): Promise<Toolbox> {
  if (await exists(join(dir, 'toolbox.json'))) return await checkToolbox(dir, signal);
  if (!(await exists(join(dir, 'usr/sbin/criu')))) {
    throw new CracBuildError('TOOLBOX_MISSING', `${dir} holds no toolbox`, {
      hint: 'It needs toolbox.json, as `crac-build toolbox` makes it.',
    });
  }
  const key = createHash('sha256').update(dir).digest('hex').slice(0, 16);
  return await placeToolbox(join(cacheDir, 'toolbox', `root-${key}`), signal, (partial) =>
    collectFromRoot(dir, partial, {}),
  );
}

export async function readToolboxFile(dir: string): Promise<ToolboxFile> {
  const path = join(dir, 'toolbox.json');
  try {
    return toolboxFile.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    throw new CracBuildError('TOOLBOX_MISSING', `there is no usable toolbox in ${dir}`, {
      hint: 'Make one: crac-build toolbox --make',
      cause,
    });
  }
}

async function readVersion(toolbox: Toolbox, signal: AbortSignal): Promise<string> {
  const command = [...composeCriuCommand(toolbox, toolbox.dir), '--version'];
  const { exitCode, stdout, stderr } = await runTool(command, signal);
  const version = parseCriuVersion(stdout);
  if (version !== undefined) return version;
  const words = (stderr || stdout).trim().split('\n');
  throw new CracBuildError(
    'CRIU_UNSUITABLE',
    `CRIU in ${toolbox.dir} does not run: exit code ${exitCode}, ${words.at(-1)}`,
    {
      hint: 'Make the toolbox again (crac-build toolbox --make), or use another CRIU with --criu.',
      details: words,
    },
  );
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
