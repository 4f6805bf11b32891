import { readFile, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { CracBuildError } from '../../errors.ts';
import { type Blob, digestOf, locateBlob, writeBlob } from '../blob-store.ts';
import { parseConfig, parseIndex, parseManifest, type ReadConfig, type ReadManifest } from '../read-layout.ts';
import { parseReference, renderReference } from '../reference.ts';
import type { RegistryAccess } from './access.ts';
import { choosePlatform, type Platform } from './choose-platform.ts';
import { fetchBlob } from './fetch-blob.ts';
import { type FetchedManifest, fetchManifest } from './fetch-manifest.ts';
import { inParallel } from './in-parallel.ts';
import { removeAbandonedPartials } from './partial-blob.ts';
import { openRepository, type Repository } from './repository.ts';
import { openTally } from './tally.ts';

/** Blobs are in `blobDir/sha256/HEX`, all of them, with the digests that they should have. */
export interface PulledImage {
  readonly blobDir: string;
  /** HOST/NAME, without tag and digest: what may be mounted from. */
  readonly host: string;
  readonly repository: string;
  /** Of the platform's manifest, "sha256:…". */
  readonly digest: string;
  readonly mediaType: string;
  readonly manifest: ReadManifest;
  readonly config: ReadConfig;
  /** From the lowest to the topmost: the manifest's own. */
  readonly layers: ReadManifest['layers'];
}

export interface PullRequest {
  /** As for `docker pull`: NAME, HOST/NAME:TAG, HOST/NAME@sha256:…. */
  readonly reference: string;
  /** Holds what was pulled before: locatePulledBlobs(). */
  readonly cacheDir: string;
  readonly access: RegistryAccess;
  readonly platform: Platform;
  /** The sum of all blobs; `doneBytes` falls where some must be fetched again. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
}

const INDEX_TYPE = /^application\/vnd\.(oci\.image\.index\.v1|docker\.distribution\.manifest\.list\.v2)\+json$/;
const MANIFEST_TYPE = /^application\/vnd\.(oci\.image\.manifest\.v1|docker\.distribution\.manifest\.v2)\+json$/;
/** An index may point at others. */
const MAX_DEPTH = 3;
/** As Docker does. */
const PARALLEL = 3;

/**
 * Pulls the image of that platform into the cache, as far as it is not there. INPUT_NOT_FOUND where there is no such image,
 * IMAGE_INVALID where it is none or is damaged, REGISTRY_DENIED, REGISTRY_FAILED, NO_SPACE. An aborted pull leaves what has come so
 * far for the next one, and nothing that could be taken for a blob.
 */
export async function pullImage(request: PullRequest): Promise<PulledImage> {
  const { reference, cacheDir, access, onProgress = () => undefined } = request;
  const parsed = parseReference(reference);
  const blobDir = locatePulledBlobs(cacheDir);
  await removeAbandonedPartials(blobDir, Date.now());
  await using repository = await openRepository(parsed, 'pull', access);
  const found = await resolveImage(repository, parsed.digest ?? parsed.tag ?? 'latest', request, 0);
  const manifest = parseManifest(found.bytes, renderReference(parsed));
  await writeBlob(blobDir, Readable.from([found.bytes]));
  const blobs = [manifest.config, ...manifest.layers].map(({ digest, size }) => ({ digest, sizeBytes: size }));
  const distinct = [...new Map(blobs.map((blob) => [blob.digest, blob])).values()];
  const tally = openTally(distinct, onProgress);
  const fetch = (blob: Blob) => fetchBlob(repository, blob, blobDir, tally.follow(blob));
  await inParallel(PARALLEL, distinct, fetch);
  // A pull may have taken so long that another build has removed what came first.
  for (const blob of distinct) if (!(await touchBlob(blobDir, blob.digest))) await fetch(blob);
  return {
    blobDir,
    host: repository.host,
    repository: repository.name,
    digest: found.digest,
    mediaType: found.mediaType,
    manifest,
    config: parseConfig(await readFile(locateBlob(blobDir, manifest.config.digest)), renderReference(parsed)),
    layers: manifest.layers,
  };
}

/** Apart from what builds make: of these blobs a registry has another copy. The time of each tells when it was used last. */
export function locatePulledBlobs(cacheDir: string): string {
  return join(cacheDir, 'pulled');
}

async function touchBlob(blobDir: string, digest: string): Promise<boolean> {
  const now = new Date();
  return await utimes(locateBlob(blobDir, digest), now, now).then(
    () => true,
    () => false,
  );
}

async function resolveImage(
  repository: Repository,
  tagOrDigest: string,
  request: PullRequest,
  depth: number,
): Promise<FetchedManifest> {
  const { reference, cacheDir, platform } = request;
  // What a digest points at never changes.
  const found =
    (await readKept(locatePulledBlobs(cacheDir), tagOrDigest)) ?? (await fetchManifest(repository, tagOrDigest));
  if (found === undefined) throw notFound(repository, reference);
  if (MANIFEST_TYPE.test(found.mediaType)) return found;
  if (!INDEX_TYPE.test(found.mediaType) || depth === MAX_DEPTH) {
    throw new CracBuildError('IMAGE_INVALID', `${reference} is no container image, but ${found.mediaType}`, {
      hint: 'Give the reference of an image or of an index of images.',
    });
  }
  await writeBlob(locatePulledBlobs(cacheDir), Readable.from([found.bytes]));
  const { digest } = choosePlatform(parseIndex(found.bytes, reference).manifests, platform, reference);
  return await resolveImage(repository, digest, request, depth + 1);
}

async function readKept(blobDir: string, tagOrDigest: string): Promise<FetchedManifest | undefined> {
  if (!/^sha256:[0-9a-f]{64}$/.test(tagOrDigest)) return undefined;
  const bytes = await readFile(locateBlob(blobDir, tagOrDigest)).catch(() => undefined);
  if (bytes === undefined || digestOf(bytes) !== tagOrDigest) return undefined;
  const mediaType = readOwnType(bytes);
  return mediaType === undefined ? undefined : { mediaType, digest: tagOrDigest, bytes };
}

/** Undefined where only the registry's header tells it: then it is asked. */
function readOwnType(bytes: Buffer): string | undefined {
  try {
    return z.looseObject({ mediaType: z.string() }).parse(JSON.parse(bytes.toString())).mediaType;
  } catch {
    return undefined;
  }
}

function notFound(repository: Repository, reference: string): CracBuildError {
  return new CracBuildError('INPUT_NOT_FOUND', `there is no image ${reference}: ${repository.host} does not know it`, {
    hint: 'Look at its name and tag.',
  });
}
