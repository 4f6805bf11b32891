import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { composeCacheKey } from '../cache/compose-key.ts';
import { readKeyFacts } from '../cache/read-key-facts.ts';
import { locateRecord, readRecord, takeLayers, touchRecord, writeRecord } from '../cache/record.ts';
import type { ReadyFacts } from '../criu/checkpoint.ts';
import type { StateReport } from '../criu/state-report.ts';
import type { Layer, OciImage } from '../oci/image.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import { renderDuration } from '../report/render-duration.ts';
import type { RestoreImage } from '../restore-plan/restore-image.ts';
import type { WarmthReport } from '../warm-up/warmth.ts';
import type { World } from '../world.ts';
import { tryToKeep } from './keep-in-cache.ts';

/** What launch, warm-up, checkpoint, compile, pack and arrange come to. */
export interface MadeCheckpoint {
  readonly warmth: WarmthReport | undefined;
  readonly ready: ReadyFacts;
  /** Of the machine that it was taken on. */
  readonly kernel?: string;
  readonly state: StateReport;
  readonly restoreImage: CompiledFacts;
  /** State, where there is one, and checkpoint. */
  readonly layers: readonly Layer[];
}

/** Without what lies in the work folder only. */
export type CompiledFacts = Omit<RestoreImage, 'contents' | 'planFile' | 'memFile'>;

const SKIPPED = ['launch', 'warm-up', 'checkpoint', 'compile', 'pack', 'arrange'] as const;

/** The name of this build's checkpoint in the cache; undefined where it may not be used. */
export async function nameCheckpoint(plan: BuildPlan, image: OciImage, world: World): Promise<string | undefined> {
  return plan.cache.enabled ? composeCacheKey(plan, await readKeyFacts(plan, image, world)) : undefined;
}

/** The checkpoint that an earlier build with the same inputs took; its layers lie in this build's own store then. */
export async function reuseCheckpoint(
  key: string | undefined,
  image: OciImage,
  world: World,
): Promise<MadeCheckpoint | undefined> {
  if (key === undefined) return undefined;
  const path = locateRecord(world.cacheDir, 'checkpoints', key);
  const record = await readRecord(path);
  if (record === undefined) return undefined;
  const problem = await takeLayers(world.cacheDir, record.layers, image.blobDir);
  if (problem !== undefined) {
    world.report({
      type: 'warning',
      message: `the checkpoint in the cache cannot be used, ${problem}: a new one is taken`,
    });
    return undefined;
  }
  await touchRecord(path);
  const age = renderDuration(Math.max(0, Date.now() - record.madeAtMs));
  const why = `as in a build ${age} ago, whose inputs were the same (checkpoint ${key.slice(0, 12)} of the cache)`;
  world.report({ type: 'stages-skipped', stages: SKIPPED, why });
  // Written by this very program, as its key tells, and whole, as its digest tells.
  const facts = record.facts as unknown as Omit<MadeCheckpoint, 'layers'>;
  return { ...facts, warmth: facts.warmth, layers: record.layers };
}

/** Of an image that was seen to restore: no other is worth keeping. */
export async function keepCheckpoint(
  plan: BuildPlan,
  key: string,
  { layers, ...facts }: MadeCheckpoint,
  world: World,
): Promise<void> {
  const record = { name: plan.name, madeAtMs: Date.now(), layers: [...layers], facts };
  await tryToKeep('the checkpoint', world, () =>
    writeRecord(world.cacheDir, { kind: 'checkpoints', key }, record, join(world.workDir, 'blobs'), world.signal),
  );
}

/** An image with it was not seen to restore. */
export async function forgetCheckpoint(key: string, world: World): Promise<void> {
  await rm(locateRecord(world.cacheDir, 'checkpoints', key), { force: true });
}
