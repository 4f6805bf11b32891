import { readFile } from 'node:fs/promises';
import { COSIGN } from '../attest/cosign-image.ts';
import { MAX_ATTACHED_BYTES } from '../attest/read-attached.ts';
import { isCracBuildError } from '../errors.ts';
import type { Artifact } from '../oci/artifact.ts';
import { tagOfDigest } from '../oci/artifact.ts';
import { attachToLayout } from '../oci/attach-to-layout.ts';
import { locateBlob } from '../oci/blob-store.ts';
import { parseManifest, type ReadManifest } from '../oci/read-layout.ts';
import { parseReference } from '../oci/reference.ts';
import type { RegistryAccess } from '../oci/registry/access.ts';
import { fetchBlob } from '../oci/registry/fetch-blob.ts';
import { type FetchedManifest, fetchManifest } from '../oci/registry/fetch-manifest.ts';
import { pullImage } from '../oci/registry/pull-image.ts';
import { listReferrers } from '../oci/registry/referrers.ts';
import { openRepository, type Repository } from '../oci/registry/repository.ts';
import { isManifestType } from '../oci/spec.ts';
import { writeToLayout } from '../oci/write-layout.ts';

/** A registry's image for linux/amd64, or the only one there is under that name, as a layout in `dir`, with the artifacts that say something of it. */
export async function pullSource(
  reference: string,
  dir: string,
  options: { readonly cacheDir: string; readonly access: RegistryAccess },
): Promise<void> {
  const { cacheDir, access } = options;
  const platform = { os: 'linux', architecture: 'amd64' };
  const { blobDir, digest, mediaType, manifest, config } = await pullImage({ reference, platform, cacheDir, access });
  const { os, architecture, variant } = config;
  const itsPlatform = { os, architecture, ...(variant !== undefined && { variant }) };
  const own = await readFile(locateBlob(blobDir, digest));
  const blobs = [manifest.config, ...manifest.layers].map((blob) => ({
    ...{ digest: blob.digest, sizeBytes: blob.size, content: locateBlob(blobDir, blob.digest) },
  }));
  await writeToLayout(
    {
      descriptor: { mediaType, digest, size: own.length, platform: itsPlatform },
      blobs: [...blobs, { digest, sizeBytes: own.length, content: own }],
    },
    dir,
    'latest',
    access.signal,
  );
  await using repository = await openRepository(parseReference(reference), 'pull', access);
  const artifacts = new Map<string, Artifact>();
  for (const found of await findArtifacts(repository, digest))
    artifacts.set(found.manifest.digest, await fetchArtifact(repository, found, blobDir));
  await attachToLayout(dir, digest, [...artifacts.values()]);
}

interface FoundArtifact {
  readonly manifest: FetchedManifest;
  readonly parsed: ReadManifest;
}

/** Anybody may attach anything. What says nothing that we could read, or is too large, is as good as not there. */
async function findArtifacts(repository: Repository, digest: string): Promise<readonly FoundArtifact[]> {
  const referrers = (await listReferrers(repository, digest)).map((entry) => entry.digest);
  const tags = Object.values(COSIGN.suffixes).map((suffix) => tagOfDigest(digest, suffix));
  const found: FoundArtifact[] = [];
  for (const name of [...referrers, ...tags]) {
    const artifact = await findArtifact(repository, name).catch((error: unknown) => {
      if (isCracBuildError(error, 'IMAGE_INVALID')) return undefined;
      throw error;
    });
    if (artifact !== undefined) found.push(artifact);
  }
  return found;
}

async function findArtifact(repository: Repository, tagOrDigest: string): Promise<FoundArtifact | undefined> {
  const manifest = await fetchManifest(repository, tagOrDigest);
  if (manifest === undefined || !isManifestType(manifest.mediaType)) return undefined;
  const parsed = parseManifest(manifest.bytes, `${repository.name}@${manifest.digest}`);
  const isSmall = [parsed.config, ...parsed.layers].every(({ size }) => size <= MAX_ATTACHED_BYTES);
  return isSmall ? { manifest, parsed } : undefined;
}

/** What was attached by others may be of any kind; what it is is seen when it is needed. */
async function fetchArtifact(
  repository: Repository,
  { manifest, parsed: { config, layers, artifactType } }: FoundArtifact,
  blobDir: string,
): Promise<Artifact> {
  const blobs = [];
  for (const { digest, size } of [config, ...layers]) {
    await fetchBlob(repository, { digest, sizeBytes: size }, blobDir);
    blobs.push({ digest, content: await readFile(locateBlob(blobDir, digest)) });
  }
  return {
    title: 'artifact',
    manifest: manifest.bytes,
    manifestDigest: manifest.digest,
    blobs,
    artifactType: artifactType ?? layers[0]?.mediaType ?? config.mediaType,
  };
}
