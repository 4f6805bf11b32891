import { readFile } from 'node:fs/promises';
import { COSIGN } from '../attest/cosign-image.ts';
import type { Artifact } from '../oci/artifact.ts';
import { tagOfDigest } from '../oci/artifact.ts';
import { attachToLayout } from '../oci/attach-to-layout.ts';
import { digestOf, locateBlob } from '../oci/blob-store.ts';
import { parseManifest } from '../oci/read-layout.ts';
import { parseReference } from '../oci/reference.ts';
import type { RegistryAccess } from '../oci/registry/access.ts';
import { fetchBlob } from '../oci/registry/fetch-blob.ts';
import { type FetchedManifest, fetchManifest } from '../oci/registry/fetch-manifest.ts';
import { pullImage } from '../oci/registry/pull-image.ts';
import { listReferrers } from '../oci/registry/referrers.ts';
import { openRepository, type Repository } from '../oci/registry/repository.ts';
import { writeToLayout } from '../oci/write-layout.ts';

/** A registry's image for linux/amd64 as a layout in `dir`, with the artifacts that say something of it. */
export async function pullSource(
  reference: string,
  dir: string,
  options: { readonly cacheDir: string; readonly access: RegistryAccess },
): Promise<void> {
  const { cacheDir, access } = options;
  const platform = { os: 'linux', architecture: 'amd64' };
  const { blobDir, digest, mediaType, manifest } = await pullImage({ reference, platform, cacheDir, access });
  const own = await readFile(locateBlob(blobDir, digest));
  const blobs = [manifest.config, ...manifest.layers].map((blob) => ({
    ...{ digest: blob.digest, sizeBytes: blob.size, content: locateBlob(blobDir, blob.digest) },
  }));
  await writeToLayout(
    {
      descriptor: { mediaType, digest, size: own.length, platform },
      blobs: [...blobs, { digest, sizeBytes: own.length, content: own }],
    },
    dir,
    'latest',
    access.signal,
  );
  await using repository = await openRepository(parseReference(reference), 'pull', access);
  const artifacts = new Map<string, Artifact>();
  for (const found of await findArtifacts(repository, digest))
    artifacts.set(found.digest, await fetchArtifact(repository, found, blobDir));
  await attachToLayout(dir, digest, [...artifacts.values()]);
}

async function findArtifacts(repository: Repository, digest: string): Promise<readonly FetchedManifest[]> {
  const referrers = (await listReferrers(repository, digest)).map((entry) => entry.digest);
  const tags = Object.values(COSIGN.suffixes).map((suffix) => tagOfDigest(digest, suffix));
  const found = [];
  for (const name of [...referrers, ...tags]) found.push(await fetchManifest(repository, name));
  return found.filter((one) => one !== undefined);
}

/** What was attached by others may be of any kind; what it is is seen when it is needed. */
async function fetchArtifact(repository: Repository, found: FetchedManifest, blobDir: string): Promise<Artifact> {
  const { config, layers, artifactType } = parseManifest(found.bytes, `${repository.name}@${found.digest}`);
  const blobs = [];
  for (const { digest, size } of [config, ...layers]) {
    await fetchBlob(repository, { digest, sizeBytes: size }, blobDir);
    blobs.push({ digest, content: await readFile(locateBlob(blobDir, digest)) });
  }
  return {
    title: 'artifact',
    manifest: found.bytes,
    manifestDigest: digestOf(found.bytes),
    blobs,
    artifactType: artifactType ?? layers[0]?.mediaType ?? config.mediaType,
  };
}
