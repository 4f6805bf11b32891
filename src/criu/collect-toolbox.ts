import { copyFile, mkdir, realpath, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CracBuildError } from '../errors.ts';
import { parseCriuVersion } from './criu-version.ts';
import { readElfNeeds } from './read-elf.ts';
import { runTool } from './run-tool.ts';
import type { ToolboxFile } from './toolbox.ts';

const LIBRARY_FOLDERS = [
  'usr/lib/x86_64-linux-gnu',
  'lib/x86_64-linux-gnu',
  'usr/lib/aarch64-linux-gnu',
  'lib/aarch64-linux-gnu',
  'usr/lib64',
  'lib64',
  'usr/lib',
  'lib',
];

/** Takes CRIU out of the root of a system: the program, its loader and the libraries they need, by their ELF headers. */
export async function collectFromRoot(
  root: string,
  dir: string,
  packages: Readonly<Record<string, string>>,
): Promise<void> {
  const program = join(root, 'usr/sbin/criu');
  const locate = async (name: string): Promise<string | undefined> => {
    for (const folder of LIBRARY_FOLDERS) {
      const path = join(root, folder, name);
      if (await isFile(path)) return path;
    }
    return undefined;
  };
  const needs = await readProgram(program);
  const loader = needs.interpreter && (await locate(basename(needs.interpreter)));
  await collect(program, loader, await findLibraries(program, locate), dir, packages);
}

/** Takes a CRIU of this machine, with the libraries that its loader finds for it. */
export async function collectFromProgram(program: string, dir: string, signal: AbortSignal): Promise<void> {
  const needs = await readProgram(program);
  const libraries: string[] = [];
  if (needs.interpreter !== undefined) {
    const { exitCode, stdout, stderr } = await runTool([needs.interpreter, '--list', program], signal);
    if (exitCode !== 0 || /not found/.test(stdout + stderr)) {
      throw new CracBuildError('CRIU_UNSUITABLE', `the libraries of ${program} cannot be found on this machine`, {
        hint: 'Install them, or leave out --criu and use the toolbox.',
        details: (stdout + stderr).split('\n').filter((line) => /not found/.test(line)),
      });
    }
    for (const match of stdout.matchAll(/=> (\/\S+) \(0x/g)) libraries.push(match[1] ?? '');
  }
  await collect(program, needs.interpreter, libraries, dir, {});
}

async function collect(
  program: string,
  loader: string | undefined,
  libraries: readonly string[],
  dir: string,
  packages: Readonly<Record<string, string>>,
): Promise<void> {
  await mkdir(join(dir, 'lib'), { recursive: true });
  await copyFile(program, join(dir, 'criu'));
  for (const path of new Set([...libraries, ...(loader ? [loader] : [])])) {
    await copyFile(await realpath(path), join(dir, 'lib', basename(path)));
  }
  const criuCommand = loader ? [`{}/lib/${basename(loader)}`, '--library-path', '{}/lib', '{}/criu'] : ['{}/criu']; // static
  const { stdout, stderr } = await runTool(
    [...criuCommand.map((part) => part.replaceAll('{}', dir)), '--version'],
    AbortSignal.timeout(30_000),
  );
  const criuVersion = parseCriuVersion(stdout);
  if (criuVersion === undefined) {
    throw new CracBuildError('CRIU_UNSUITABLE', `${program} does not say its version when run from ${dir}`, {
      hint: 'It may not be CRIU, or need files that a copy cannot have.',
      details: (stdout + stderr).trim().split('\n'),
    });
  }
  const file: ToolboxFile = { criuVersion, criuCommand, packages };
  await writeFile(join(dir, 'toolbox.json'), `${JSON.stringify(file, null, 2)}\n`);
}

async function readProgram(program: string): Promise<NonNullable<Awaited<ReturnType<typeof readElfNeeds>>>> {
  const needs = await readElfNeeds(program).catch((cause: unknown) => {
    throw new CracBuildError('CRIU_UNSUITABLE', `${program} cannot be read`, { cause });
  });
  if (needs !== undefined) return needs;
  throw new CracBuildError('CRIU_UNSUITABLE', `${program} is no 64-bit program`, {
    hint: '--criu takes the program itself, not a script that starts it.',
  });
}

async function findLibraries(
  program: string,
  locate: (name: string) => Promise<string | undefined>,
): Promise<readonly string[]> {
  const found = new Map<string, string>();
  const pending = [program];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    for (const name of (await readElfNeeds(path))?.libraries ?? []) {
      if (found.has(name)) continue;
      const library = await locate(name);
      if (library === undefined) {
        throw new CracBuildError('CRIU_UNSUITABLE', `${basename(path)} needs ${name}, which is missing beside it`);
      }
      found.set(name, library);
      pending.push(library);
    }
  }
  return [...found.values()];
}

async function isFile(path: string): Promise<boolean> {
  return await stat(path).then(
    (facts) => facts.isFile(),
    () => false,
  );
}
