import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runTool } from './run-tool.ts';

/**
 * A JDK reduced to `modules` in the new folder `target`, with its default CDS archive: without one every cold start
 * would be 20 ms or more too slow, and all comparisons with it flattered. A JDK without jmods (Temurin 24 and later)
 * links from its own run-time image. Line numbers stay: people read stack traces.
 *
 * Equal inputs give equal files with JDK 25; JDK 17 lays its CDS archive out differently each time.
 */
export async function linkJdk(
  jdk: string,
  modules: readonly string[],
  target: string,
  signal: AbortSignal,
): Promise<void> {
  const args = ['--add-modules', modules.join(','), '--output', target, '--no-header-files', '--no-man-pages'];
  await runTool(join(jdk, 'bin', 'jlink'), [...args, '--generate-cds-archive'], signal);
  // 12 to 15 MB that only ZGC and heaps of 32 GB and more would use.
  await rm(join(target, 'lib/server/classes_nocoops.jsa'), { force: true });
}
