import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { openDecompressor } from '../src/oci/compression.ts';
import { compressionOf } from '../src/oci/spec.ts';
import { runCommand } from './run-command.ts';

export interface UnpackedImage {
  readonly root: string;
  readonly environment: readonly string[];
  readonly user: string;
  readonly workingDir: string;
  /** Of the checkpoint layer. */
  readonly checkpointLayer: { readonly sizeBytes: number; readonly uncompressedBytes: number };
}

interface LayerDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

interface Manifest {
  readonly config: { readonly digest: string };
  readonly layers: readonly LayerDescriptor[];
}

/** Of an OCI image layout with one image, the lowest first. */
export async function readLayers(
  layout: string,
): Promise<readonly { readonly blob: string; readonly mediaType: string }[]> {
  const { layers } = await readManifest(layout);
  return layers.map(({ digest, mediaType }) => ({ blob: locate(layout, digest), mediaType }));
}

/** An OCI image layout with one image → its root file system at `root`, as an engine would mount it. */
export async function unpackImage(layout: string, root: string): Promise<UnpackedImage> {
  const blob = (digest: string) => locate(layout, digest);
  const manifest = await readManifest(layout);
  const config = await readJson(blob(manifest.config.digest));

  await rm(root, { recursive: true, force: true });
  await mkdir(root, { recursive: true });
  for (const { digest } of manifest.layers) {
    await runCommand(['tar', '-xpf', blob(digest), '--numeric-owner', '-C', root]);
    await applyWhiteouts(root);
  }
  const checkpoint = config.history.findIndex((entry: { created_by?: string }) =>
    entry.created_by?.includes('checkpoint layer'),
  );
  const layer = manifest.layers[checkpoint];
  if (layer === undefined) throw new Error(`${layout} has no checkpoint layer`);
  return {
    root,
    environment: config.config.Env,
    user: config.config.User,
    workingDir: config.config.WorkingDir,
    checkpointLayer: { sizeBytes: layer.size, uncompressedBytes: await countUncompressed(blob(layer.digest), layer) },
  };
}

async function readManifest(layout: string): Promise<Manifest> {
  const index = await readJson(join(layout, 'index.json'));
  return await readJson(locate(layout, index.manifests[0].digest));
}

function locate(layout: string, digest: string): string {
  return join(layout, 'blobs', digest.replace(':', '/'));
}

async function readJson(path: string) {
  return JSON.parse(await readFile(path, 'utf8'));
}

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#whiteouts; opaque ones are not written by crac-build. */
async function applyWhiteouts(root: string): Promise<void> {
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.name.startsWith('.wh.')) continue;
    const whiteout = join(entry.parentPath, entry.name);
    await rm(join(dirname(whiteout), basename(whiteout).slice('.wh.'.length)), { recursive: true, force: true });
    await rm(whiteout);
  }
}

async function countUncompressed(blob: string, { mediaType }: LayerDescriptor): Promise<number> {
  const decompressor = openDecompressor(compressionOf(mediaType) ?? 'gzip');
  let bytes = 0;
  for await (const chunk of createReadStream(blob).pipe(decompressor)) bytes += chunk.length;
  return bytes;
}
