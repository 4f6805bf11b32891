import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { type Blob, locateBlob } from '../blob-store.ts';
import type { OciImage } from '../image.ts';
import { composeDocuments } from '../manifest.ts';
import { inParallel } from './in-parallel.ts';
import { pushBlob } from './push-blob.ts';
import { pushManifest } from './push-manifest.ts';
import type { Repository } from './repository.ts';
import { openTally } from './tally.ts';

export interface PushImageOptions {
  /** Repositories of the same registry that may have layers of the image already. */
  readonly mountFrom?: readonly string[];
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
}

/** As Docker has it for pulls; of pushes it does five. */
const PARALLEL = 3;
const READ_BYTES = 256 << 10;

/** Everything of the image but the manifest: nobody sees it yet. How many bytes had to be sent. */
export async function pushImageBlobs(
  repository: Repository,
  image: OciImage,
  { mountFrom = [], onProgress = () => undefined }: PushImageOptions = {},
): Promise<{ readonly sentBytes: number }> {
  const { config, configDigest } = composeDocuments(image);
  const blobs: Blob[] = [...image.layers, { digest: configDigest, sizeBytes: config.length }];
  const distinct = [...new Map(blobs.map((blob) => [blob.digest, blob])).values()];
  const tally = openTally(distinct, onProgress);
  let sentBytes = 0;
  await inParallel(PARALLEL, distinct, async (blob) => {
    const open = (start: number, end: number) =>
      blob.digest === configDigest
        ? Readable.from([config.subarray(start, end)])
        : openSlice(locateBlob(image.blobDir, blob.digest), start, end);
    const how = await pushBlob(repository, blob, open, { mountFrom, onProgress: tally.follow(blob) });
    if (how === 'sent') sentBytes += blob.sizeBytes;
  });
  return { sentBytes };
}

/** Makes the image, whose blobs are there, that of the tag. Resolves to the manifest's digest. */
export async function tagImage(repository: Repository, image: OciImage, tag: string): Promise<string> {
  const { manifest } = composeDocuments(image);
  const { mediaType } = JSON.parse(manifest.toString()) as { readonly mediaType: string };
  return (await pushManifest(repository, { mediaType, bytes: manifest }, tag)).digest;
}

/** Of createReadStream(), `end` is the last byte. */
function openSlice(path: string, start: number, end: number): Readable {
  return end > start ? createReadStream(path, { start, end: end - 1, highWaterMark: READ_BYTES }) : Readable.from([]);
}
