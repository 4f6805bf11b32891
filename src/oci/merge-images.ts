import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CracBuildError } from '../errors.ts';
import { digestOf, locateBlob } from './blob-store.ts';
import { type FoundImage, listImages, renderPlatform } from './find-images.ts';
import { type Descriptor, type Index, MEDIA_TYPES, REF_NAME } from './spec.ts';
import { validateLayout } from './validate.ts';
import type { LayoutBlob, LayoutContent } from './write-layout.ts';

/** A layout with an image, and how people call it. */
export interface MergeSource {
  readonly place: string;
  readonly dir: string;
  readonly tag?: string;
}

export interface MergedImages extends LayoutContent {
  readonly images: readonly { readonly platform: string; readonly digest: string; readonly place: string }[];
}

/**
 * An index of all images in `sources`, in their order, which readers take the first fitting one from. Manifests stay byte for byte, with
 * their annotations and digests. IMAGE_INVALID for a source that is not whole, INPUT_INVALID for two images of one platform.
 *
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md
 */
export async function mergeImages(sources: readonly MergeSource[], signal?: AbortSignal): Promise<MergedImages> {
  const found: (FoundImage & MergeSource)[] = [];
  for (const source of sources) {
    await requireValid(source, signal);
    for (const image of await listImages(source.dir, source.tag)) found.push({ ...image, ...source });
  }
  requirePlatforms(found);
  const manifests = found.map(composeDescriptor);
  const index: Index = { schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests };
  const content = Buffer.from(JSON.stringify(index));
  const digest = digestOf(content);
  const blobs = new Map((await Promise.all(found.map(listBlobs))).flat().map((blob) => [blob.digest, blob]));
  return {
    descriptor: { mediaType: MEDIA_TYPES.index, digest, size: content.length },
    blobs: [...blobs.values(), { digest, sizeBytes: content.length, content }],
    images: found.map(({ platform, descriptor, place }) => ({
      platform: renderPlatform(platform),
      digest: descriptor.digest,
      place,
    })),
  };
}

async function requireValid({ place, dir, tag }: MergeSource, signal: AbortSignal | undefined): Promise<void> {
  const problems = await validateLayout(dir, tag, signal === undefined ? {} : { signal });
  if (problems.length > 0)
    throw new CracBuildError('IMAGE_INVALID', `${place} cannot be merged: it is not valid`, {
      hint: 'Build it again, or copy it again from where it came.',
      details: problems,
    });
  if ((await listImages(dir, tag)).length === 0)
    throw new CracBuildError('IMAGE_INVALID', `${place} holds no image`, { hint: 'Give a layout that was built.' });
}

function requirePlatforms(found: readonly (FoundImage & MergeSource)[]): void {
  const byPlatform = new Map<string, string>();
  for (const { platform, place } of found) {
    const name = renderPlatform(platform);
    const first = byPlatform.get(name);
    if (first !== undefined)
      throw new CracBuildError('INPUT_INVALID', `two images are for ${name}: of ${first} and of ${place}`, {
        hint: 'Give one image for each platform; `oci:DIR:TAG` names one of several in a layout.',
      });
    byPlatform.set(name, place);
  }
}

/** What pointed at it may have annotations of its own; its name was that layout's. */
function composeDescriptor({ descriptor, platform }: FoundImage): Descriptor {
  const { mediaType, digest, size, annotations = {} } = descriptor;
  const { [REF_NAME]: _, ...kept } = annotations;
  return { mediaType, digest, size, ...(Object.keys(kept).length > 0 && { annotations: kept }), platform };
}

async function listBlobs({ dir, descriptor, manifest }: FoundImage & MergeSource): Promise<readonly LayoutBlob[]> {
  const blobDir = join(dir, 'blobs');
  const parts = [manifest.config, ...manifest.layers].map(({ digest, size }) => ({
    digest,
    sizeBytes: size,
    content: locateBlob(blobDir, digest),
  }));
  const { digest, size } = descriptor;
  return [...parts, { digest, sizeBytes: size, content: await readFile(locateBlob(blobDir, digest)) }];
}
