import { CracBuildError, isCracBuildError } from '../../errors.ts';
import { discardBody } from './read-body.ts';
import { parseLocation, type Repository } from './repository.ts';
import { headerOf } from './transport.ts';

/** A blob on its way into a repository. */
export interface Upload {
  /** Another one after each chunk. */
  location: URL;
  /** The registry takes no smaller chunks, but for the last one. */
  readonly minChunkBytes: number;
}

/** Whoever does not go on with it should cancelUpload(). */
export async function openUpload(repository: Repository): Promise<Upload> {
  const answer = await repository.send({
    method: 'POST',
    path: 'blobs/uploads/',
    headers: { 'content-length': '0' },
    expected: [202],
    what: `an upload to ${repository.name}`,
  });
  await discardBody(answer);
  return { location: parseLocation(answer), minChunkBytes: Number(headerOf(answer, 'oci-chunk-min-length') ?? 0) || 0 };
}

/**
 * The blob taken over from another repository; an upload where it has to be sent after all; undefined where not even that came of it.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#mounting-a-blob-from-another-repository
 */
export async function mountBlob(
  repository: Repository,
  digest: string,
  from: string,
): Promise<'mounted' | Upload | undefined> {
  try {
    const answer = await repository.attempt({
      method: 'POST',
      path: `blobs/uploads/?${new URLSearchParams({ mount: digest, from })}`,
      headers: { 'content-length': '0' },
      expected: [201, 202],
      what: `a blob of ${from}`,
      extraScope: `repository:${from}:pull`,
    });
    await discardBody(answer);
    return answer.status === 201 ? 'mounted' : { location: parseLocation(answer), minChunkBytes: 0 };
  } catch {
    // It may not let us see that repository, or know nothing of mounts.
    repository.signal.throwIfAborted();
    return undefined;
  }
}

/** Registries forget uploads by themselves, after days: there is not much time for what they would do anyway. */
const CANCEL_TIMEOUT_MS = 3000;

/** Also after an interruption. Whether the registry minds is of no interest. */
export async function cancelUpload(repository: Repository, { location }: Upload): Promise<void> {
  try {
    const answer = await repository.attempt({
      method: 'DELETE',
      path: location,
      expected: [200, 202, 204],
      what: `an upload to ${repository.name}`,
      // docker-registry wants that right, too; others have the upload forgotten without.
      extraScope: `repository:${repository.name}:delete`,
      signal: AbortSignal.timeout(CANCEL_TIMEOUT_MS),
    });
    await discardBody(answer);
  } catch {
    // See above.
  }
}

/** How much of an upload the registry has, and where it goes on. Undefined: it is lost, or that cannot be known. */
export async function findOffset(
  repository: Repository,
  location: URL,
): Promise<{ readonly location: URL; readonly offset: number } | undefined> {
  try {
    const answer = await repository.send({
      method: 'GET',
      path: location,
      expected: [204],
      what: `the state of an upload to ${repository.name}`,
    });
    await discardBody(answer);
    const offset = parseReceived(headerOf(answer, 'range'));
    return offset === undefined ? undefined : { location: parseLocation(answer), offset };
  } catch (error) {
    repository.signal.throwIfAborted();
    if (isCracBuildError(error, 'REGISTRY_DENIED') || !(error instanceof CracBuildError)) throw error;
    return undefined;
  }
}

/** "0-99" → 100. Of "0-0" nobody knows whether it is one byte or none. */
export function parseReceived(range: string | undefined): number | undefined {
  const last = Number(/^(?:bytes=)?0-(\d+)$/.exec(range ?? '')?.[1] ?? 0);
  return last === 0 ? undefined : last + 1;
}

/** The last step of each upload. */
export function withDigest(location: URL, digest: string): URL {
  const url = new URL(location);
  url.searchParams.set('digest', digest);
  return url;
}
