import { z } from 'zod';
import { CracBuildError } from '../../errors.ts';
import { digestOf } from '../blob-store.ts';
import { readBody } from './read-body.ts';
import type { Repository } from './repository.ts';
import { withRetries } from './retry.ts';
import { headerOf } from './transport.ts';

/** A manifest or an index, as the bytes that its digest is taken of. */
export interface FetchedManifest {
  readonly mediaType: string;
  readonly digest: string;
  readonly bytes: Buffer;
}

const ACCEPT = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');
/** What registries are to take at least: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests */
const MAX_BYTES = 4 << 20;

const ANY_MANIFEST = z.looseObject({ schemaVersion: z.number(), mediaType: z.string().optional() });

/**
 * The manifest of a tag or digest, as it is; undefined where there is none. IMAGE_INVALID where the bytes have another digest than was
 * asked for or than the registry says. https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests
 */
export async function fetchManifest(repository: Repository, tagOrDigest: string): Promise<FetchedManifest | undefined> {
  const what = `the manifest ${repository.name}${tagOrDigest.includes(':') ? '@' : ':'}${tagOrDigest}`;
  const { answer, bytes } = await withRetries(repository, async () => {
    const answer = await repository.attempt({
      method: 'GET',
      path: `manifests/${tagOrDigest}`,
      headers: { accept: ACCEPT },
      expected: [200, 404],
      what,
    });
    return { answer, bytes: await readBody(answer, MAX_BYTES) };
  });
  if (answer.status === 404) return undefined;
  if (bytes === undefined) throw invalid(what, 'it is larger than 4 MiB');
  const digest = digestOf(bytes);
  const promised = tagOrDigest.includes(':') ? tagOrDigest : headerOf(answer, 'docker-content-digest');
  if (promised?.startsWith('sha256:') && promised !== digest)
    throw invalid(what, `its digest is ${digest}, not ${promised}`);
  return { mediaType: readMediaType(bytes, headerOf(answer, 'content-type'), what), digest, bytes };
}

/** What the document says of itself is under its digest; the header is not. */
function readMediaType(bytes: Buffer, header: string | undefined, what: string): string {
  const parsed = ANY_MANIFEST.safeParse(parseOrUndefined(bytes));
  if (!parsed.success) throw invalid(what, 'it is no JSON of that form');
  if (parsed.data.schemaVersion !== 2) throw invalid(what, 'it has the form of before 2015 (schema 1)');
  const mediaType = parsed.data.mediaType ?? header?.split(';')[0]?.trim();
  if (mediaType === undefined) throw invalid(what, 'it does not say of which type it is');
  return mediaType;
}

function parseOrUndefined(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}

function invalid(what: string, words: string): CracBuildError {
  return new CracBuildError('IMAGE_INVALID', `${what} cannot be used: ${words}`, {
    hint: 'Push the image again; if that does not help, look for what is between here and the registry.',
  });
}
