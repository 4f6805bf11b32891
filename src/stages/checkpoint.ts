import { createWriteStream } from 'node:fs';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Checkpoint } from '../criu/checkpoint.ts';
import { askCpu, askDescriptors, askForCheckpoint, askKernel, tellNotCheckpointed } from '../criu/control.ts';
import { DESCRIPTOR_FACTS } from '../criu/descriptor-facts.ts';
import { listHeldPaths } from '../criu/held-paths.ts';
import { readDump } from '../criu/read-dump.ts';
import { dumpProcess, installCriu, openDump, requireWorkingCriu } from '../criu/run-criu.ts';
import type { Container } from '../engine/engine.ts';
import { CracBuildError } from '../errors.ts';
import { explainNoSpace } from '../oci/space.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import { renderDuration } from '../report/render-duration.ts';
import { readTar } from '../tar/read-tar.ts';
import type { World } from '../world.ts';
import { requireFirst } from './first-process.ts';
import type { RunningApp } from './launch.ts';
import { awaitOwnRequest, explainEnd } from './own-request.ts';
import { readRootFiles } from './root-files.ts';
import { planStateRules } from './state-rules.ts';
import { takeState } from './take-state.ts';

/**
 * Has the app prepared, or waits until it asks for that, ends the services, which its resources may still have needed, dumps it and copies out what is needed. Afterwards the app is
 * stopped, and stays so until its container is removed: what it holds in memory and what lies in its files belong together.
 */
export async function takeCheckpoint(plan: BuildPlan, app: RunningApp, world: World): Promise<Checkpoint> {
  const { timeoutMs, trigger } = plan.checkpoint;
  const { container } = app;
  const withLimit = <T>(act: (signal: AbortSignal) => Promise<T>) => withTimeLimit(timeoutMs, world.signal, act);
  if (trigger === 'app') {
    const machine = await explainEnd(
      container,
      withLimit((signal) => equipContainer(plan, container, world, signal)),
    );
    report(world, 'waiting for the app to ask for its checkpoint');
    const ready = await app.services.guard(world, (guarded) =>
      explainEnd(container, awaitOwnRequest(plan, container, guarded)),
    );
    requireFirst(plan, ready.pid);
    await app.services.end();
    return await withLimit((signal) => dumpApp(plan, container, { ready, ...machine }, world, signal));
  }
  return await withLimit(async (signal) => {
    const machine = await equipContainer(plan, container, world, signal);
    report(world, 'preparing the app');
    const ready = await askForCheckpoint(container, plan.app.user, plan.checkpoint, signal);
    await app.services.end();
    return await dumpApp(plan, container, { ready, ...machine }, world, signal);
  });
}

/** Brings CRIU into the container, looks whether it works there, and what CPU and kernel are. */
async function equipContainer(
  plan: BuildPlan,
  container: Container,
  world: World,
  signal: AbortSignal,
): Promise<Pick<Checkpoint, 'cpu' | 'kernel'>> {
  const { user } = plan.app;
  report(world, `CRIU ${world.toolbox.criuVersion}`);
  const localPath = join(world.nativeDir, 'launch');
  const launch = { localPath, sizeBytes: await sizeOf(localPath) };
  await installCriu(container, world.toolbox, launch, user, signal);
  await requireWorkingCriu(container, world.toolbox, user, signal);
  const cpu = await askCpu(container, user, signal);
  return { cpu, kernel: await askKernel(container, user, signal) };
}

async function dumpApp(
  plan: BuildPlan,
  container: Container,
  known: Pick<Checkpoint, 'ready' | 'cpu' | 'kernel'>,
  world: World,
  signal: AbortSignal,
): Promise<Checkpoint> {
  const { user } = plan.app;
  const { ready } = known;
  report(world, 'dumping');
  let descriptorFacts: string;
  try {
    await dumpProcess(container, world.toolbox, user, ready.pid, signal);
    descriptorFacts = await askDescriptors(container, user, ready.pid, signal);
  } catch (error) {
    // The container lives on in nobody's hands but ours, yet the app may hold locks elsewhere: let it go on and end well.
    await container.kill('SIGCONT').catch(() => undefined);
    await tellNotCheckpointed(container, user, ready.mailbox.address).catch(() => undefined);
    throw error;
  }
  report(world, 'copying the dump');
  const imagesDir = join(world.workDir, 'dump');
  await copyDump(container, imagesDir, signal);
  await writeFile(join(imagesDir, DESCRIPTOR_FACTS), descriptorFacts);
  const rules = planStateRules(plan, listHeldPaths(readDump(imagesDir)));
  const limits = { workDir: world.workDir, rules, maxBytes: plan.checkpoint.maxStateBytes };
  const { stateTar, state } = await takeState(container, limits, signal);
  const rootFile = readRootFiles(container, join(world.workDir, 'root-files'), world.signal);
  return { ...known, imagesDir, rootFile, stateTar, state };
}

function report(world: World, text: string): void {
  world.report({ type: 'stage-progress', stage: 'checkpoint', text });
}

/** A time limit of its own is CHECKPOINT_FAILED, the caller's signal INTERRUPTED. */
async function withTimeLimit<T>(
  timeoutMs: number,
  outer: AbortSignal,
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = AbortSignal.timeout(timeoutMs);
  try {
    return await act(AbortSignal.any([outer, limit]));
  } catch (error) {
    if (outer.aborted || !limit.aborted) throw error;
    throw new CracBuildError('CHECKPOINT_FAILED', `the checkpoint was not taken within ${renderDuration(timeoutMs)}`, {
      hint: 'Raise checkpoint.timeout, or look for a beforeCheckpoint that hangs.',
      cause: error,
    });
  }
}

async function copyDump(container: Container, dir: string, signal: AbortSignal): Promise<void> {
  await mkdir(dir, { recursive: true });
  try {
    for await (const { header, content } of readTar(await openDump(container, signal))) {
      if (header.type !== 'file') continue;
      await pipeline(Readable.from(content), createWriteStream(join(dir, basename(header.path))), { signal });
    }
  } catch (error) {
    throw explainNoSpace(error, `copying the dump to ${dir}`);
  }
}

async function sizeOf(path: string): Promise<number> {
  const facts = await stat(path).catch((cause: unknown) => {
    throw new CracBuildError('INPUT_NOT_FOUND', `a native part of crac-build is missing: ${path}`, {
      hint: 'Run `npm run build`.',
      cause,
    });
  });
  return facts.size;
}
