import type { Readable } from 'node:stream';
import type { Blob } from '../blob-store.ts';
import { discardBody } from './read-body.ts';
import type { Repository } from './repository.ts';
import { waitAfterFailure } from './retry.ts';
import { type BlobSource, sendInChunks, sendWhole } from './send-blob.ts';
import { headerOf } from './transport.ts';
import { cancelUpload, mountBlob, openUpload, type Upload } from './upload.ts';

export interface PushOptions {
  /** Repositories of the same registry that may have the blob already: it need not be sent then. */
  readonly mountFrom?: readonly string[];
  /** How many bytes of the blob need not be waited for any more; fewer than before where some have to be sent again. */
  readonly onProgress?: (doneBytes: number) => void;
  /** CHUNK_BYTES where it is left out: for tests. */
  readonly chunkBytes?: number;
}

/** A larger blob is sent in parts of this size, so that a broken connection costs no more. */
const CHUNK_BYTES = 32 << 20;

/** https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#checking-if-content-exists-in-the-registry */
export async function hasBlob(repository: Repository, { digest, sizeBytes }: Blob): Promise<boolean> {
  const answer = await repository.send({
    method: 'HEAD',
    path: `blobs/${digest}`,
    expected: [200, 404],
    what: `the blob ${digest} of ${repository.name}`,
  });
  await discardBody(answer);
  const length = headerOf(answer, 'content-length');
  return answer.status === 200 && (length === undefined || Number(length) === sizeBytes);
}

/**
 * Sees to it that the repository has the blob; `open(start, end)` gives its bytes from `start` to before `end`, again and again.
 * The registry checks the digest. https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-blobs
 */
export async function pushBlob(
  repository: Repository,
  blob: Blob,
  open: (start: number, end: number) => Readable,
  options: PushOptions = {},
): Promise<'existed' | 'mounted' | 'sent'> {
  const { mountFrom = [], onProgress = () => undefined, chunkBytes = CHUNK_BYTES } = options;
  const done = (how: 'existed' | 'mounted' | 'sent') => {
    onProgress(blob.sizeBytes);
    return how;
  };
  if (await hasBlob(repository, blob)) return done('existed');
  let upload: Upload | undefined;
  for (const from of mountFrom.filter((name) => name !== repository.name)) {
    const answer = await mountBlob(repository, blob.digest, from);
    if (answer === 'mounted') return done('mounted');
    // Only the last of several is gone on with; the others the registry forgets by itself.
    upload = answer ?? upload;
  }
  await send(repository, { blob, open, onProgress }, chunkBytes, upload);
  return done('sent');
}

/** As a whole where it is small, else in chunks; as a whole, too, where the registry takes no chunks. */
async function send(
  repository: Repository,
  source: BlobSource,
  chunkBytes: number,
  first: Upload | undefined,
): Promise<void> {
  let upload = first;
  let inChunks = source.blob.sizeBytes > chunkBytes;
  for (let failures = 0; ; ) {
    try {
      upload ??= await openUpload(repository);
      const outcome = inChunks
        ? await sendInChunks(repository, upload, source, chunkBytes)
        : await sendWhole(repository, upload, source);
      if (outcome === 'stored') return;
      if (outcome === 'no-chunks') inChunks = false;
      else throw outcome;
    } catch (error) {
      failures++;
      try {
        await waitAfterFailure(error, failures, repository.patience, repository.signal);
      } catch (final) {
        if (upload !== undefined) await cancelUpload(repository, upload);
        throw final;
      }
      // The last answer may be all that was lost.
      if (await hasBlob(repository, source.blob)) return;
    }
    upload = undefined;
    source.onProgress(0);
  }
}
