import { Readable } from 'node:stream';
import type { Artifact } from '../artifact.ts';
import { MEDIA_TYPES } from '../spec.ts';
import { pushBlob } from './push-blob.ts';
import { pushManifest } from './push-manifest.ts';
import { pushReferrer } from './referrers.ts';
import type { Repository } from './repository.ts';

/** What says something of an image there: by its tag where it has one, and where the registry keeps a list of referrers, in that, too. */
export async function pushArtifact(repository: Repository, { blobs, manifest, tag }: Artifact): Promise<void> {
  for (const { digest, content } of blobs) {
    const open = (start: number, end: number) => Readable.from(end > start ? [content.subarray(start, end)] : []);
    await pushBlob(repository, { digest, sizeBytes: content.length }, open);
  }
  const document = { mediaType: MEDIA_TYPES.manifest, bytes: manifest };
  if (tag === undefined) await pushReferrer(repository, document);
  else await pushManifest(repository, document, tag);
}
