import { createReadStream, createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openCompressor, openDecompressor } from '../src/oci/compression.ts';
import type { Compression, LayerCompression } from '../src/oci/image.ts';
import { compressionOf } from '../src/oci/spec.ts';
import type { Bench, BenchOptions, Measurements } from './bench.ts';
import { buildAndUnpack } from './measured-app.ts';
import { runCommand } from './run-command.ts';
import { median, roundFigure } from './statistics.ts';
import { readLayers } from './unpack-image.ts';

/**
 * The layers of plain-http's image, compressed as `image.compression` and `image.compressionLevel` say: a row for each.
 *
 *   image_mb          all layers
 *   checkpoint_mb     the layer that each build makes anew
 *   compress_s        all layers, once
 *   unpack_ms         all layers, one after the other, by `gzip -d` and `zstd -d`, into nothing
 *   at_100_mbit_s, at_1_gbit_s     until all is there and unpacked, over a network as quick as that: image_mb and unpack_ms
 */
export const compressionBench: Bench = {
  name: 'compression',
  summary: 'layers of plain-http by compression and level: size, and time to compress, pull and unpack',
  run,
};

const SETTINGS: readonly Compression[] = [
  { compression: 'gzip', compressionLevel: 1 },
  { compression: 'gzip', compressionLevel: 6 },
  { compression: 'gzip', compressionLevel: 9 },
  { compression: 'zstd', compressionLevel: 1 },
  { compression: 'zstd', compressionLevel: 6 },
  { compression: 'zstd', compressionLevel: 19 },
];
const COLUMNS = ['image_mb', 'checkpoint_mb', 'compress_s', 'unpack_ms', 'at_100_mbit_s', 'at_1_gbit_s'] as const;
/** Bytes a second. */
const NETWORKS = [100e6 / 8, 1e9 / 8];

async function run(options: BenchOptions): Promise<Measurements> {
  const { tell, workDir } = options;
  await runCommand(['npm', 'run', '-s', 'build'], { onStderr: tell });
  await runCommand(['examples/plain-http/build'], { onStderr: tell });
  await buildAndUnpack(options, workDir);
  const tars = await openLayers(workDir);
  const runs: Record<string, readonly number[]> = {};
  const rows = [];
  for (const setting of SETTINGS) {
    const name = `${setting.compression} ${setting.compressionLevel}`;
    tell(name);
    const { sizes, seconds } = await compressLayers(tars, setting);
    const unpackMs: number[] = [];
    for (let run = 0; run < options.runs; run++) unpackMs.push(await unpackLayers(tars, setting.compression));
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    const pulled = NETWORKS.map((rate) => bytes / rate + median(unpackMs) / 1000);
    const values = [bytes / 1e6, (sizes.at(-1) ?? Number.NaN) / 1e6, seconds, median(unpackMs), ...pulled];
    rows.push({ name, values: values.map(roundFigure) });
    runs[`${name.replace(' ', '_')}_unpack_ms`] = unpackMs;
  }
  await Promise.all(tars.map((tar) => rm(tar)));
  const figures = rows.flatMap(({ name, values }) =>
    COLUMNS.map((column, at) => [`${name.replace(' ', '_')}_${column}`, values[at] ?? Number.NaN] as const),
  );
  return { figures: Object.fromEntries(figures), runs, table: { columns: COLUMNS, rows } };
}

/** As tars on disk, the checkpoint's last. */
async function openLayers(workDir: string): Promise<readonly string[]> {
  const layers = await readLayers(join(workDir, 'image'));
  return await Promise.all(
    layers.map(async ({ blob, mediaType }, index) => {
      const tar = join(workDir, `layer-${index}.tar`);
      const decompressor = openDecompressor(compressionOf(mediaType) ?? 'gzip');
      await pipeline(createReadStream(blob), decompressor, createWriteStream(tar));
      return tar;
    }),
  );
}

async function compressLayers(
  tars: readonly string[],
  setting: Compression,
): Promise<{ readonly sizes: readonly number[]; readonly seconds: number }> {
  const started = performance.now();
  for (const tar of tars)
    await pipeline(createReadStream(tar), openCompressor(setting), createWriteStream(nameOf(tar, setting.compression)));
  const seconds = (performance.now() - started) / 1000;
  const sizes = await Promise.all(tars.map(async (tar) => (await stat(nameOf(tar, setting.compression))).size));
  return { sizes, seconds };
}

async function unpackLayers(tars: readonly string[], compression: LayerCompression): Promise<number> {
  const files = tars.map((tar) => nameOf(tar, compression));
  const started = performance.now();
  for (const file of files) await runCommand(['sh', '-c', `exec ${compression} -dc "$0" >/dev/null`, file]);
  return performance.now() - started;
}

function nameOf(tar: string, compression: LayerCompression): string {
  return `${tar}.${compression}`;
}
