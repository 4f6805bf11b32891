import { readdir, stat } from 'node:fs/promises';
import { availableParallelism, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseCpu } from '../criu/control.ts';
import { runTool } from '../criu/run-tool.ts';
import { digestOf, hashFile } from '../oci/blob-store.ts';
import type { OciImage } from '../oci/image.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import { listCpuFeatures } from '../restore-plan/cpu-features.ts';
import { VERSION } from '../version.ts';
import { bundleScript } from '../warm-up/bundle-script.ts';
import type { Body, Tls } from '../warm-up/scenario.ts';
import type { World } from '../world.ts';
import type { KeyFacts } from './compose-key.ts';

const MEGABYTE = 2 ** 20;
/** What machines of one kind differ by from start to start. */
const MEMORY_STEP_MB = 256;

/** Looks at everything that a checkpoint of `image` would depend on. Pulls the images of services: their names may stand for others now. */
export async function readKeyFacts(plan: BuildPlan, image: OciImage, world: World): Promise<KeyFacts> {
  return {
    builder: await readBuilder(world.nativeDir),
    diffIds: image.layers.map(({ diffId }) => diffId),
    criu: await readCriu(world),
    engine: world.engine.description,
    machine: await readMachine(world),
    files: await readFiles(plan, world),
  };
}

/** Built, this file is all of crac-build; a version alone would not tell a developer's builds apart. */
async function readBuilder(nativeDir: string): Promise<KeyFacts['builder']> {
  const names = (await readdir(nativeDir)).toSorted();
  const digests = await Promise.all(names.map(async (name) => [name, await hashFile(join(nativeDir, name))] as const));
  return { version: VERSION, program: await hashFile(import.meta.filename), ...Object.fromEntries(digests) };
}

async function readCriu({ toolbox }: World): Promise<KeyFacts['criu']> {
  const own = toolbox.criuCommand.flatMap((word) =>
    /^\{\}\/[^:]+$/.test(word) ? [word.replace('{}', toolbox.dir)] : [],
  );
  const digests = await Promise.all(own.map((file) => digestOfFile(file)));
  return { version: toolbox.criuVersion, programs: digests.join(' ') };
}

async function readMachine({ nativeDir, signal }: World): Promise<KeyFacts['machine']> {
  const { exitCode, stdout } = await runTool([join(nativeDir, 'ctl'), 'cpu'], signal);
  return {
    kernel: release(),
    cpuFeatures: exitCode === 0 ? listCpuFeatures(parseCpu(stdout)) : [],
    cpus: availableParallelism(),
    memoryMb: Math.round(totalmem() / MEGABYTE / MEMORY_STEP_MB) * MEMORY_STEP_MB,
  };
}

async function readFiles(plan: BuildPlan, world: World): Promise<KeyFacts['files']> {
  const files: Record<string, string> = {};
  for (const file of listSentFiles(plan)) files[file] = await digestOfFile(file);
  for (const scenario of plan.warmUp.scenarios) {
    if (scenario.kind === 'script') files[scenario.path] = digestOf(await bundleScript(scenario.path));
  }
  for (const { source, health } of plan.services) {
    if (source.kind === 'layout') files[source.dir] = await digestOfFile(join(source.dir, 'index.json'));
    if (source.kind === 'image')
      files[source.reference] = await world.engine.obtainImage(source.reference, world.signal);
    if (source.kind !== 'process') continue;
    const words = health.kind === 'command' ? [...source.argv, ...health.argv] : source.argv;
    for (const word of words) {
      const file = await findFile(word, world.signal);
      if (file !== undefined) files[word] = await digestOfFile(file);
    }
  }
  return files;
}

/** Bodies, forms and certificates. */
function listSentFiles({ warmUp, readiness, verify }: BuildPlan): readonly string[] {
  const ofTls = (tls: Tls | undefined) => (tls?.ca === undefined ? [] : [tls.ca]);
  const ofBody = (body: Body | undefined): readonly string[] => {
    if (body?.kind === 'file') return [body.path];
    if (body?.kind !== 'multipart') return [];
    return Object.values(body.fields).flatMap((field) => (typeof field === 'string' ? [] : [field.file]));
  };
  const probes = [readiness, verify.answer].flatMap((probe) => (probe?.kind === 'http' ? ofTls(probe.tls) : []));
  const bodies = warmUp.scenarios.flatMap((one) =>
    one.kind === 'http' ? one.steps.flatMap(({ body }) => ofBody(body)) : [],
  );
  return [...new Set([...probes, ...ofTls(warmUp.connection.tls), ...bodies])];
}

/** The file that a word of a command names: by its path, or as a program. */
async function findFile(word: string, signal: AbortSignal): Promise<string | undefined> {
  if ((await stat(word).catch(() => undefined))?.isFile()) return word;
  if (word.includes('/')) return undefined;
  const { exitCode, stdout } = await runTool(['sh', '-c', 'command -v -- "$1"', 'sh', word], signal);
  return exitCode === 0 && stdout.startsWith('/') ? stdout.trim() : undefined;
}

/** Whoever needs the file says what is wrong with it. */
async function digestOfFile(path: string): Promise<string> {
  return await hashFile(path).catch(() => 'unreadable');
}
