import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { BuildResult } from '../../../src/build.ts';
import { expectValidImage } from './expect-valid-image.ts';

/** jest, npm and the programs that tests start all run in the repository's root; a bundled program lies elsewhere. */
export const ROOT = process.cwd();
export const CLI = join(ROOT, 'dist/crac-build.js');
export const JDKS = {
  17: '/usr/lib/jvm/java-17-openjdk-amd64',
  25: '/usr/lib/jvm/temurin-25-jdk-amd64',
} as const;
export const PLAIN_HTTP = join(ROOT, 'examples/plain-http');

export interface CliRun {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Otherwise a build takes a new checkpoint. */
  readonly usesCache?: boolean;
  /** Put before `node`, e.g. `unshare --time …`. */
  readonly wrapper?: readonly string[];
  /**
   * Called with all of stderr so far whenever more comes: to send a signal at a certain stage. SIGINT goes to the whole
   * process group, as Ctrl-C does, and others to the program alone, as from `kill` and supervisors.
   */
  readonly onProgress?: (stderr: string, kill: (signal: NodeJS.Signals) => void) => void;
}

/** Runs the built command line as a user would. Throws where it has built a layout that is not valid. */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliRun> {
  /** What is tested is a build, not what an earlier test has left in the cache. */
  const all = args[0] === 'build' && options.usesCache !== true ? [...args, '--no-cache'] : args;
  const [program = '', ...rest] = [...(options.wrapper ?? []), process.execPath, CLI, ...all];
  const child = spawn(program, rest, {
    cwd: options.cwd ?? ROOT,
    env: { ...process.env, ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: options.onProgress !== undefined,
  });
  const kill = (signal: NodeJS.Signals) => {
    if (signal === 'SIGINT') process.kill(-(child.pid ?? 0), signal);
    else child.kill(signal);
  };
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    options.onProgress?.(stderr, kill);
  });
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve(code ?? (signal === 'SIGKILL' ? 137 : 255));
    });
  });
  if (args[0] === 'build' && exitCode === 0) for (const layout of listLayouts(stdout)) await expectValidImage(layout);
  return { exitCode, stdout, stderr };
}

/** Builds examples/plain-http; throws with the command's own words when that fails. */
export async function buildPlainHttp(args: readonly string[], options: CliOptions = {}): Promise<BuildResult> {
  return await buildImage(['--config', join(PLAIN_HTTP, 'crac-build.yaml'), ...args], options);
}

/** Builds what `args` say; throws with the command's own words when that fails. */
export async function buildImage(args: readonly string[], options: CliOptions = {}): Promise<BuildResult> {
  const run = await runCli(['build', '--json', ...args], options);
  if (run.exitCode !== 0) throw new Error(`crac-build exited with ${run.exitCode}\n${run.stderr}\n${run.stdout}`);
  return JSON.parse(run.stdout);
}

/** Of what a build has told at its end, as text or as JSON. */
function listLayouts(stdout: string): readonly string[] {
  if (!stdout.startsWith('{'))
    return [...stdout.matchAll(/^built (oci:.*)$/gm)].map(([, reference]) => reference ?? '');
  const { built }: BuildResult = JSON.parse(stdout);
  return built.references.filter((reference) => reference.startsWith('oci:'));
}
