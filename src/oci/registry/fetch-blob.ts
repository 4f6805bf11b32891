import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, utimes } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { CracBuildError, isCracBuildError } from '../../errors.ts';
import { type Blob, locateBlob, openDigestMeter } from '../blob-store.ts';
import { explainNoSpace } from '../space.ts';
import { explainConnection } from './explain-connection.ts';
import { dropPartial, finishPartial, keepPartial, takePartial } from './partial-blob.ts';
import type { Repository } from './repository.ts';
import { TransientFailure, waitAfterFailure } from './retry.ts';
import { headerOf } from './transport.ts';

/** Who gets on so far has not failed in a row. */
const PROGRESS_BYTES = 64 << 10;
const READ_BYTES = 1 << 20;

/**
 * Sees to it that the blob lies in `blobDir/sha256/HEX`, whole and with the right digest: also one that is there already is read and,
 * if it is damaged, fetched again. What had come before a connection broke, or this program was interrupted, is not asked for again.
 * `onProgress` tells how many bytes of it need not be waited for any more. IMAGE_INVALID where the registry has other bytes, NO_SPACE.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-blobs
 */
export async function fetchBlob(
  repository: Repository,
  blob: Blob,
  blobDir: string,
  onProgress: (doneBytes: number) => void = () => undefined,
): Promise<'cached' | 'fetched'> {
  if (await isWhole(blobDir, blob, repository.signal)) {
    const now = new Date();
    await utimes(locateBlob(blobDir, blob.digest), now, now);
    onProgress(blob.sizeBytes);
    return 'cached';
  }
  const partial = await takePartial(blobDir, blob.digest);
  try {
    await receive(repository, blob, partial.path, onProgress);
    await finishPartial(partial, blobDir, blob.digest);
    return 'fetched';
  } catch (error) {
    const told = explainNoSpace(error, `fetching ${nameOf(blob, repository)}`);
    if (isCracBuildError(told, 'NO_SPACE') || isCracBuildError(told, 'IMAGE_INVALID')) await dropPartial(partial);
    else await keepPartial(partial, blobDir, blob.digest);
    throw told;
  }
}

async function isWhole(blobDir: string, blob: Blob, signal: AbortSignal): Promise<boolean> {
  const meter = openDigestMeter();
  meter.stream.resume();
  try {
    const file = createReadStream(locateBlob(blobDir, blob.digest), { highWaterMark: READ_BYTES });
    await pipeline(file, meter.stream, { signal });
  } catch {
    signal.throwIfAborted();
    return false;
  }
  const found = meter.takeBlob();
  return found.digest === blob.digest && found.sizeBytes === blob.sizeBytes;
}

/** What was kept may have been damaged, and what came on its way: after wrong bytes everything is fetched once more. */
async function receive(
  repository: Repository,
  blob: Blob,
  path: string,
  onProgress: (doneBytes: number) => void,
): Promise<void> {
  await using file = await open(path, 'a+');
  const again = async () => {
    onProgress(0);
    await file.truncate(0);
    return await openReceiver(file, blob, onProgress);
  };
  let receiver = await openReceiver(file, blob, onProgress);
  let wrongTimes = 0;
  let sendsParts = true;
  for (let failures = 0; ; ) {
    const before = receiver.offset();
    try {
      if (before < blob.sizeBytes && !(await receiveFrom(repository, blob, receiver))) {
        sendsParts = false;
        receiver = await again();
      }
      if (receiver.offset() < blob.sizeBytes) continue;
      if (receiver.isRight()) return;
      wrongTimes++;
      if (wrongTimes === 2) throw corrupted(blob, repository);
      receiver = await again();
    } catch (error) {
      failures = sendsParts && receiver.offset() - before >= PROGRESS_BYTES ? 1 : failures + 1;
      await waitAfterFailure(error, failures, repository.patience, repository.signal);
    }
  }
}

interface Receiver {
  readonly offset: () => number;
  /** The digest; can be asked once. */
  readonly isRight: () => boolean;
  readonly take: (chunk: Buffer) => Promise<void>;
}

/** Goes on behind what the file holds already. */
async function openReceiver(file: FileHandle, blob: Blob, onProgress: (doneBytes: number) => void): Promise<Receiver> {
  const hash = createHash('sha256');
  let offset = 0;
  const buffer = Buffer.alloc(READ_BYTES);
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, offset);
    if (bytesRead === 0) break;
    hash.update(buffer.subarray(0, bytesRead));
    offset += bytesRead;
  }
  onProgress(Math.min(offset, blob.sizeBytes));
  return {
    offset: () => offset,
    isRight: () => offset === blob.sizeBytes && `sha256:${hash.digest('hex')}` === blob.digest,
    take: async (chunk) => {
      await file.appendFile(chunk);
      hash.update(chunk);
      offset += chunk.length;
      onProgress(Math.min(offset, blob.sizeBytes));
    },
  };
}

/** Over one connection. False: the registry sends all or nothing. */
async function receiveFrom(repository: Repository, blob: Blob, receiver: Receiver): Promise<boolean> {
  const { digest, sizeBytes } = blob;
  const offset = receiver.offset();
  const answer = await repository.attempt({
    method: 'GET',
    path: `blobs/${digest}`,
    headers: offset === 0 ? {} : { range: `bytes=${offset}-` },
    expected: offset === 0 ? [200] : [200, 206, 416],
    what: `the blob ${digest} of ${repository.name}`,
  });
  const start = /^bytes (\d+)-/.exec(headerOf(answer, 'content-range') ?? '')?.[1];
  if (offset > 0 && (answer.status !== 206 || Number(start) !== offset)) {
    answer.body.on('error', () => undefined);
    answer.body.destroy();
    return false;
  }
  const body = answer.body[Symbol.asyncIterator]();
  answer.body.on('error', () => undefined);
  using _ = { [Symbol.dispose]: () => void answer.body.destroy() };
  for (;;) {
    const next = await body.next().catch((error: unknown) => {
      repository.signal.throwIfAborted();
      throw explainConnection(error, answer.url.host);
    });
    if (next.done === true) break;
    // No more than was promised may come onto the disk.
    if (receiver.offset() + next.value.length > sizeBytes) throw corrupted(blob, repository);
    await receiver.take(next.value);
  }
  if (receiver.offset() === sizeBytes) return true;
  throw new TransientFailure(
    new CracBuildError(
      'REGISTRY_FAILED',
      `only ${receiver.offset()} of ${sizeBytes} bytes come of ${nameOf(blob, repository)}`,
      {
        hint: 'Push the image again; if that does not help, look for what is between here and the registry.',
      },
    ),
  );
}

function nameOf({ digest }: Blob, { host, name }: Repository): string {
  return `${digest} of ${host}/${name}`;
}

function corrupted(blob: Blob, repository: Repository): CracBuildError {
  return new CracBuildError(
    'IMAGE_INVALID',
    `${nameOf(blob, repository)} came with other bytes than its digest promises`,
    {
      hint: 'It is damaged in the registry or on its way. Push the image again, or look for what is between here and the registry.',
    },
  );
}
