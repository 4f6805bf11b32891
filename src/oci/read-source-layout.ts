import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CracBuildError } from '../errors.ts';
import { compressLayer, type LayerStore } from './adopt-layer.ts';
import { locateBlob, shareBlob } from './blob-store.ts';
import type { Compression, Layer, LayerCompression } from './image.ts';
import { findImage } from './read-image.ts';
import { type ReadDescriptor, readConfig, readManifest } from './read-layout.ts';
import type { SourceImage } from './source-image.ts';

/**
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#media-types and Docker's
 * https://github.com/distribution/distribution/blob/v2.8.3/docs/spec/manifest-v2-2.md#media-types
 */
const LAYER_TYPE =
  /^application\/vnd\.(?:oci\.image\.layer\.v1\.tar|docker\.image\.rootfs\.diff\.tar)(?:[+.](gzip|zstd))?$/;

/** The image of that name, or the only one for this platform, out of an image layout. IMAGE_INVALID where there is none. */
export async function readSourceLayout(
  dir: string,
  name: string | undefined,
  compression: Compression,
  store: LayerStore,
): Promise<SourceImage> {
  const { digest } = await findImage(dir, name);
  const manifest = await readManifest(dir, digest);
  const config = await readConfig(dir, manifest.config.digest);
  return await adoptImage({ where: dir, blobDir: join(dir, 'blobs'), digest, manifest, config }, compression, store);
}

/** Layers of a manifest, from the blobs of another store. */
export async function adoptImage(
  found: Pick<SourceImage, 'digest' | 'config'> & {
    /** For messages. */
    readonly where: string;
    readonly blobDir: string;
    readonly manifest: { readonly layers: readonly ReadDescriptor[] };
  },
  compression: Compression,
  store: LayerStore,
): Promise<SourceImage> {
  const { where, blobDir, digest, manifest, config } = found;
  const diffIds = config.rootfs.diff_ids;
  if (diffIds.length !== manifest.layers.length) {
    throw invalid(where, `its config names ${diffIds.length} layers, its manifest ${manifest.layers.length}`);
  }
  const layers: Layer[] = [];
  for (const [index, descriptor] of manifest.layers.entries()) {
    const path = locateBlob(blobDir, descriptor.digest);
    const there = await stat(path).catch(() => undefined);
    if (there?.size !== descriptor.size) throw invalid(where, `the layer ${descriptor.digest} is not whole`);
    const diffId = diffIds[index] ?? '';
    const form = LAYER_TYPE.exec(descriptor.mediaType);
    if (form === null) throw invalid(where, `a layer is of the type ${descriptor.mediaType}`);
    if (form[1] === undefined) {
      layers.push(await compressLayer(diffId, () => createReadStream(path), compression, store));
      continue;
    }
    await shareBlob(blobDir, store.blobDir, descriptor.digest);
    layers.push({
      kind: 'base',
      compression: form[1] as LayerCompression,
      digest: descriptor.digest,
      diffId,
      sizeBytes: descriptor.size,
      uncompressedBytes: 0,
    });
  }
  return { digest, config, layers };
}

function invalid(where: string, words: string): CracBuildError {
  return new CracBuildError('IMAGE_INVALID', `the image in ${where} cannot be used: ${words}`, {
    hint: 'Copy it anew, with layers in gzip, zstd or uncompressed: `skopeo copy SOURCE oci:DIR`.',
  });
}
