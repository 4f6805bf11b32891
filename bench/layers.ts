import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parse, stringify } from 'yaml';
import { readZip, readZipEntry } from '../src/jar/read-zip.ts';
import type { Bench, BenchOptions, Measurements } from './bench.ts';
import { type BuiltApp, buildAndUnpack, composeCold, composeRestore, composeVariant } from './measured-app.ts';
import { runCommand } from './run-command.ts';
import { median, roundFigure } from './statistics.ts';

/**
 * Three ways to have a Spring Boot jar in an image (examples/spring-boot), from exec to the first byte of the first response, taken
 * in turns
 *
 *   cold_whole_ms, restore_whole_ms   the jar as it is (--no-extract)
 *   cold_split_ms, restore_split_ms   taken apart: a jar with the app's classes, and its libraries beside it
 *   cold_loader_ms                    unpacked, and started by Spring Boot's loader
 *   app_layer_kb, whole_layer_mb      what is pulled again when the app's own code has changed, compressed: apart, and whole
 */
export const layersBench: Bench = {
  name: 'layers',
  summary:
    'a Spring Boot jar whole and taken apart: cold start, restore, and what a change of the app makes to be pulled',
  run,
};

const EXAMPLE = 'examples/spring-boot';
/** In the image, beside the app. */
const LOADER = '/opt/loader';

async function run(options: BenchOptions): Promise<Measurements> {
  const { workDir, tell } = options;
  await runCommand(['npm', 'run', '-s', 'build'], { onStderr: tell });
  await runCommand([`${EXAMPLE}/build`], { onStderr: tell });
  const config = await writeConfig(workDir);
  const split = await buildAndUnpack(options, join(workDir, 'split'), config);
  const whole = await buildAndUnpack(options, join(workDir, 'whole'), config, ['--no-extract']);
  await unpackJar(split.plan.app.source?.path ?? '', join(whole.image.root, LOADER));
  const cold = composeCold(whole);
  const loader = {
    ...cold,
    argv: [...cold.argv.slice(0, -2), '-cp', LOADER, 'org.springframework.boot.loader.launch.JarLauncher'],
  };
  const variants = [
    composeVariant(whole, 'cold_whole_ms', cold),
    composeVariant(split, 'cold_split_ms', composeCold(split)),
    composeVariant(whole, 'cold_loader_ms', loader),
    composeVariant(whole, 'restore_whole_ms', composeRestore(whole)),
    composeVariant(split, 'restore_split_ms', composeRestore(split)),
  ];
  const runs: Record<string, number[]> = {};
  // Round 0 warms the page cache and is not counted. Whoever is first in one round is last in the next.
  for (let round = 0; round <= options.runs; round++) {
    for (const { key, start } of round % 2 === 0 ? variants : variants.toReversed()) {
      const { firstByteNs } = await start();
      if (round > 0) runs[key] = [...(runs[key] ?? []), firstByteNs / 1e6];
    }
    tell(`round ${round} of ${options.runs}`);
  }
  const medians = Object.entries(runs).map(([key, values]) => [key, roundFigure(median(values))] as const);
  return {
    figures: {
      ...Object.fromEntries(medians),
      app_layer_kb: roundFigure((await readAppLayerBytes(split)) / 1e3),
      whole_layer_mb: roundFigure((await readAppLayerBytes(whole)) / 1e6),
    },
    runs,
  };
}

/** The example's own, with a warm-up that is soon over. */
async function writeConfig(workDir: string): Promise<string> {
  const config = parse(await readFile(`${EXAMPLE}/crac-build.yaml`, 'utf8'));
  config.app.jar = resolve(EXAMPLE, config.app.jar);
  config.warmUp = {
    requests: [
      { path: '/books', count: 200 },
      { path: config.readiness.path, count: 20 },
    ],
  };
  const file = join(workDir, 'crac-build.yaml');
  await writeFile(file, stringify(config));
  return file;
}

async function unpackJar(jar: string, folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  for await (const entry of readZip(jar)) {
    await mkdir(dirname(join(folder, entry.name)), { recursive: true });
    await writeFile(join(folder, entry.name), await readZipEntry(entry));
  }
}

/** The layer of the kind `app`, as the image's history names it. */
async function readAppLayerBytes({ dir }: BuiltApp): Promise<number> {
  const read = async (digest: string) =>
    JSON.parse(await readFile(join(dir, 'image/blobs', digest.replace(':', '/')), 'utf8'));
  const index = JSON.parse(await readFile(join(dir, 'image/index.json'), 'utf8'));
  const manifest = await read(index.manifests[0].digest);
  const { history } = await read(manifest.config.digest);
  const at = history.findIndex(({ created_by }: { readonly created_by?: string }) => created_by?.includes('app layer'));
  return manifest.layers[at].size;
}
