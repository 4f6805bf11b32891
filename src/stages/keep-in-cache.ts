import { pruneCache } from '../cache/prune-cache.ts';
import { CracBuildError } from '../errors.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import { renderBytes } from '../report/render-bytes.ts';
import type { World } from '../world.ts';

/** What is made is good whether or not the cache can have it: a full disk is told, and nothing more. */
export async function tryToKeep(what: string, world: World, keep: () => Promise<void>): Promise<void> {
  try {
    await keep();
  } catch (error) {
    if (world.signal.aborted) throw error;
    const hint = error instanceof CracBuildError ? error.hint : undefined;
    world.report({
      type: 'warning',
      message: `${what} is not kept in the cache: ${(error as Error).message}`,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

/** After a build: what was not used for longest makes room. */
export async function keepCacheSmall({ cache }: BuildPlan, world: World): Promise<void> {
  try {
    const { entries, freedBytes } = await pruneCache(world.cacheDir, cache.maxBytes, world.signal);
    if (entries.length === 0) return;
    const text = `removed ${renderBytes(freedBytes)} of ${entries.length} unused entries from the cache (cache.maxSize ${renderBytes(cache.maxBytes)})`;
    world.report({ type: 'stage-progress', stage: 'publish', text });
  } catch (error) {
    // The image is published.
    const message = `the cache could not be made smaller: ${(error as Error).message}`;
    world.report({ type: 'warning', message });
  }
}
