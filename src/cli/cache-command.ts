import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { measureCache } from '../cache/plan-prune.ts';
import { pruneCache } from '../cache/prune-cache.ts';
import { type CacheEntry, measureTree, readCache } from '../cache/read-cache.ts';
import { parseSize } from '../config/size.ts';
import { CracBuildError } from '../errors.ts';
import { MAX_CACHE_BYTES } from '../plan/plan-build.ts';
import { renderBytes } from '../report/render-bytes.ts';
import { renderDuration } from '../report/render-duration.ts';
import { cacheFolder } from './open-world.ts';
import type { CommandResult } from './run-command.ts';

export interface CacheFlags {
  readonly prune?: boolean;
  readonly maxSize?: number;
  readonly json?: boolean;
}

export function addCacheFlags(command: Command): Command {
  return command
    .option('--prune', 'remove what was not used for longest')
    .option(
      '--max-size <size>',
      'what --prune leaves: "2GB"; 0MB for nothing that no running build uses (10GB)',
      parseMaxSize,
    )
    .option('--json', 'print one JSON object');
}

/** Without a flag: tells what is in the cache. */
export async function runCache(flags: CacheFlags, signal: AbortSignal): Promise<CommandResult> {
  const cacheDir = cacheFolder();
  if (flags.maxSize !== undefined && !flags.prune) {
    throw new CracBuildError('USAGE', '--max-size belongs to --prune', {
      hint: 'Builds have their own limit: cache.maxSize in crac-build.yaml.',
    });
  }
  if (flags.prune) {
    const pruned = await pruneCache(cacheDir, flags.maxSize ?? MAX_CACHE_BYTES, signal);
    const { entries, freedBytes, leftBytes } = pruned;
    const lines = [
      ...renderEntries(entries),
      `removed ${renderBytes(freedBytes)}, ${renderBytes(leftBytes)} are left in ${cacheDir}`,
    ];
    return { text: `${lines.join('\n')}\n`, json: { ok: true, cacheDir, ...pruned } };
  }
  const facts = await readCache(cacheDir);
  const totalBytes = measureCache(facts);
  const toolboxBytes = await measureTree(join(cacheDir, 'toolbox'));
  const lines = [
    ...renderEntries(facts.entries),
    `${renderBytes(totalBytes)} in ${cacheDir}, and ${renderBytes(toolboxBytes)} of toolbox, which stays`,
  ];
  return { text: `${lines.join('\n')}\n`, json: { ok: true, cacheDir, totalBytes, toolboxBytes, ...facts } };
}

/** The last used first. */
function renderEntries(entries: readonly CacheEntry[]): readonly string[] {
  return entries
    .toSorted((a, b) => b.lastUsedMs - a.lastUsedMs)
    .map(({ kind, name, lastUsedMs, ownBytes, blobs, isInUse }) => {
      const bytes = blobs.reduce((sum, { sizeBytes }) => sum + sizeBytes, ownBytes);
      const used = isInUse ? 'in use' : `used ${renderDuration(Math.max(0, Date.now() - lastUsedMs))} ago`;
      return `${kind.padEnd(10)} ${renderBytes(bytes).padStart(9)}   ${name}, ${used}`;
    });
}

function parseMaxSize(text: string): number {
  const bytes = parseSize(text);
  if (bytes === undefined) throw new InvalidArgumentError('Expected a size with its unit, such as "2GB".');
  return bytes;
}
