import { type Readable, Transform } from 'node:stream';
import { CracBuildError } from '../../errors.ts';
import type { Blob } from '../blob-store.ts';
import { discardBody } from './read-body.ts';
import { parseLocation, type Repository } from './repository.ts';
import { TransientFailure, waitAfterFailure } from './retry.ts';
import type { HttpAnswer } from './transport.ts';
import { headerOf } from './transport.ts';
import { findOffset, parseReceived, type Upload, withDigest } from './upload.ts';

export interface BlobSource {
  readonly blob: Blob;
  /** Bytes from `start` to before `end`. */
  readonly open: (start: number, end: number) => Readable;
  readonly onProgress: (doneBytes: number) => void;
}

const CONTENT_TYPE = 'application/octet-stream';
/** What registries say that take no chunks. */
const NO_CHUNKS = [400, 404, 405, 411, 413, 415, 501];

/** https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#post-then-put */
export async function sendWhole(repository: Repository, { location }: Upload, source: BlobSource): Promise<'stored'> {
  const { digest, sizeBytes } = source.blob;
  const answer = await repository.attempt({
    method: 'PUT',
    path: withDigest(location, digest),
    headers: { 'content-type': CONTENT_TYPE, 'content-length': `${sizeBytes}` },
    body: () => openCounted(source, 0, sizeBytes),
    expected: [201],
    what: `the blob ${digest} for ${repository.name}`,
  });
  await discardBody(answer);
  return 'stored';
}

/**
 * After a broken connection the registry is asked how much it has. 'no-chunks': it must be sent as a whole; TransientFailure:
 * this upload is lost. https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-a-blob-in-chunks
 */
export async function sendInChunks(
  repository: Repository,
  upload: Upload,
  source: BlobSource,
  chunkBytes: number,
): Promise<'stored' | 'no-chunks' | TransientFailure> {
  const { digest, sizeBytes } = source.blob;
  const stepBytes = Math.max(chunkBytes, upload.minChunkBytes);
  let offset = 0;
  for (let failures = 0; offset < sizeBytes; ) {
    const end = Math.min(offset + stepBytes, sizeBytes);
    try {
      const answer = await sendChunk(repository, upload.location, source, offset, end);
      if (answer.status !== 202 && offset === 0 && NO_CHUNKS.includes(answer.status)) return 'no-chunks';
      if (answer.status !== 202) throw lost(repository, digest);
      upload.location = parseLocation(answer);
      const received = parseReceived(headerOf(answer, 'range')) ?? end;
      if (received <= offset || received > sizeBytes) return lost(repository, digest);
      offset = received;
      failures = 0;
    } catch (error) {
      failures++;
      await waitAfterFailure(error, failures, repository.patience, repository.signal);
      const found = await findOffset(repository, upload.location);
      if (found === undefined || found.offset > sizeBytes) return lost(repository, digest);
      upload.location = found.location;
      offset = found.offset;
      source.onProgress(offset);
    }
  }
  const answer = await repository.attempt({
    method: 'PUT',
    path: withDigest(upload.location, digest),
    headers: { 'content-type': CONTENT_TYPE, 'content-length': '0' },
    expected: [201],
    what: `the blob ${digest} for ${repository.name}`,
  });
  await discardBody(answer);
  return 'stored';
}

async function sendChunk(
  repository: Repository,
  location: URL,
  source: BlobSource,
  start: number,
  end: number,
): Promise<HttpAnswer> {
  const answer = await repository.attempt({
    method: 'PATCH',
    path: location,
    headers: {
      'content-type': CONTENT_TYPE,
      'content-range': `${start}-${end - 1}`,
      'content-length': `${end - start}`,
    },
    body: () => openCounted(source, start, end),
    // 416: not where the upload goes on.
    expected: [202, 416, ...(start === 0 ? NO_CHUNKS : [])],
    what: `a chunk of the blob ${source.blob.digest} for ${repository.name}`,
  });
  await discardBody(answer);
  return answer;
}

function openCounted({ open, onProgress }: BlobSource, start: number, end: number): Readable {
  let done = start;
  const source = open(start, end);
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, passOn) {
      done += chunk.length;
      onProgress(done);
      passOn(null, chunk);
    },
    destroy(error, destroyed) {
      source.destroy();
      destroyed(error);
    },
  });
  source.on('error', (error) => counter.destroy(error));
  return source.pipe(counter);
}

function lost({ host, name }: Repository, digest: string): TransientFailure {
  return new TransientFailure(
    new CracBuildError('REGISTRY_FAILED', `${host} has lost an upload to ${name} again and again: ${digest}`, {
      hint: 'Look into the log of the registry: whether it has space left, and whether uploads all come to one instance of it.',
    }),
  );
}
