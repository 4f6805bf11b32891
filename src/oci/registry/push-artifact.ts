import { Readable } from 'node:stream';
import { isCracBuildError } from '../../errors.ts';
import { appendArtifact } from '../append-artifact.ts';
import type { Artifact } from '../artifact.ts';
import { parseManifest, type ReadManifest } from '../read-layout.ts';
import { isManifestType, MEDIA_TYPES } from '../spec.ts';
import { fetchManifest } from './fetch-manifest.ts';
import { pushBlob } from './push-blob.ts';
import { pushManifest } from './push-manifest.ts';
import { pushReferrer } from './referrers.ts';
import type { Repository } from './repository.ts';

/**
 * What says something of an image there: by its tag where it has one, and where the registry keeps a list of referrers, in that, too.
 * What others have put under that tag stays. Resolves to what is there then.
 */
export async function pushArtifact(repository: Repository, artifact: Artifact): Promise<Artifact> {
  const { tag } = artifact;
  const before = tag === undefined ? undefined : await fetchBefore(repository, tag);
  const whole = before === undefined ? artifact : appendArtifact(before, artifact);
  for (const { digest, content } of whole.blobs) {
    const open = (start: number, end: number) => Readable.from(end > start ? [content.subarray(start, end)] : []);
    await pushBlob(repository, { digest, sizeBytes: content.length }, open);
  }
  const document = { mediaType: MEDIA_TYPES.manifest, bytes: whole.manifest };
  if (tag === undefined) await pushReferrer(repository, document);
  else await pushManifest(repository, document, tag);
  return whole;
}

/** Undefined where there is nothing, or what nobody who looks for signatures could read either. */
async function fetchBefore(repository: Repository, tag: string): Promise<ReadManifest | undefined> {
  try {
    const found = await fetchManifest(repository, tag);
    if (found === undefined || !isManifestType(found.mediaType)) return undefined;
    return parseManifest(found.bytes, `${repository.name}:${tag}`);
  } catch (error) {
    if (isCracBuildError(error, 'IMAGE_INVALID')) return undefined;
    throw error;
  }
}
