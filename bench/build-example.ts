import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BenchOptions } from './bench.ts';
import { runCommand } from './run-command.ts';
import { type UnpackedImage, unpackImage } from './unpack-image.ts';

/** An image of plain-http, for JVMs with `javaOptions`, unpacked. */
export async function buildExample(
  { workDir, base, javaOptions, tell }: BenchOptions,
  more: readonly string[],
): Promise<UnpackedImage> {
  await runCommand(['npm', 'run', '-s', 'build'], { onStderr: tell });
  await runCommand(['examples/plain-http/build'], { onStderr: tell });
  const layout = join(workDir, 'image');
  await rm(layout, { recursive: true, force: true });
  const flags = [
    ...['--config', 'examples/plain-http/crac-build.yaml', '--engine', 'oci', '--output', `oci:${layout}`],
    ...(base === undefined ? [] : ['--base', base]),
    ...[...more, ...javaOptions].map((option) => `--java-option=${option}`),
  ];
  await runCommand([process.execPath, 'dist/crac-build.js', 'build', '--no-cache', ...flags], { onStderr: tell });
  return await unpackImage(layout, join(workDir, 'root'));
}
