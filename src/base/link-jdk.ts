import { join } from 'node:path';
import { runTool } from './run-tool.ts';

/**
 * What the JDK's own build gives for its default archive: without, processors and memory of the build machine choose the
 * collector, whether objects are in the archive, and how they are addressed. The young generation is as large as the JDK's own test
 * (DeterministicDump) makes it: no collection, whose time would depend on how busy the machine is, moves objects meanwhile. The
 * environment and the current folder are fixed, too: as strings they move other objects of the archive.
 */
const DUMP_OPTIONS = ['-Xshare:dump', '-Xint', '-XX:+UseG1GC', '-Xms128m', '-Xmx128m', '-Xmn120m'];

/**
 * A JDK reduced to `modules` in the new folder `target`, with its default CDS archive: without one every cold start
 * would be 20 ms or more too slow, and all comparisons with it flattered. A JDK without jmods (Temurin 24 and later)
 * links from its own run-time image. Line numbers stay: people read stack traces.
 *
 * Equal inputs give equal files on any machine with JDK 25; JDK 17 lays its CDS archive out differently each time.
 */
export async function linkJdk(
  jdk: string,
  modules: readonly string[],
  target: string,
  signal: AbortSignal,
): Promise<void> {
  const args = ['--add-modules', modules.join(','), '--output', target, '--no-header-files', '--no-man-pages'];
  await runTool(join(jdk, 'bin', 'jlink'), args, signal);
  // Not by jlink's --generate-cds-archive: it passes no options on, and makes one more of 12 to 15 MB that only ZGC and heaps of 32 GB would use.
  await runTool(join(target, 'bin', 'java'), DUMP_OPTIONS, signal, { isIsolated: true });
}
