import { z } from 'zod';
import { CracBuildError } from '../../errors.ts';
import { MEDIA_TYPES } from '../spec.ts';
import { fetchManifest } from './fetch-manifest.ts';
import { pushManifest } from './push-manifest.ts';
import { readBody } from './read-body.ts';
import { parseAddress, type Repository } from './repository.ts';
import { withRetries } from './retry.ts';

/** What is attached to an image: signatures, an SBOM. */
export interface Referrer {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly artifactType?: string | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

const REFERRERS = z.looseObject({
  schemaVersion: z.literal(2),
  manifests: z.array(
    z.looseObject({
      mediaType: z.string(),
      digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
      size: z.number().int().nonnegative(),
      artifactType: z.string().optional(),
      annotations: z.record(z.string(), z.string()).optional(),
    }),
  ),
});
/** As of manifests. */
const MAX_BYTES = 4 << 20;
/** An image with more is none that anybody signs: the list leads round in a circle. */
const MAX_PAGES = 100;
type ReferrerList = z.infer<typeof REFERRERS>;

/** What a manifest says of itself that its entry in the list repeats. */
const ATTACHED = z.looseObject({
  artifactType: z.string().optional(),
  config: z.looseObject({ mediaType: z.string() }).optional(),
  subject: z.looseObject({ digest: z.string() }),
  annotations: z.record(z.string(), z.string()).optional(),
});

/**
 * What refers to the manifest of that digest, from the registry's own list or, where it keeps none, from the tag `sha256-HEX`.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers
 */
export async function listReferrers(
  repository: Repository,
  digest: string,
  artifactType?: string,
): Promise<readonly Referrer[]> {
  const list = (await readOwnList(repository, digest)) ?? (await readTaggedList(repository, digest));
  // The registry's filter is optional, and we are to be ready for its absence.
  return list.manifests.filter((entry) => artifactType === undefined || entry.artifactType === artifactType);
}

/**
 * Attaches a manifest with a `subject`; its config and layers must be there (pushBlob). Where the registry has no list of its own,
 * the entry is added to that under the tag `sha256-HEX`. Resolves to the manifest's digest.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests-with-subject
 */
export async function pushReferrer(
  repository: Repository,
  manifest: { readonly mediaType: string; readonly bytes: Buffer },
): Promise<string> {
  const { artifactType, config, subject, annotations } = ATTACHED.parse(JSON.parse(manifest.bytes.toString()));
  const { digest, hasReferrers } = await pushManifest(repository, manifest);
  if (hasReferrers) return digest;
  const list = await readTaggedList(repository, subject.digest);
  if (list.manifests.some((entry) => entry.digest === digest)) return digest;
  const entry = {
    mediaType: manifest.mediaType,
    digest,
    size: manifest.bytes.length,
    ...((artifactType ?? config?.mediaType) !== undefined && { artifactType: artifactType ?? config?.mediaType }),
    ...(annotations !== undefined && { annotations }),
  };
  const bytes = Buffer.from(JSON.stringify({ ...list, manifests: [...list.manifests, entry] }));
  await pushManifest(repository, { mediaType: MEDIA_TYPES.index, bytes }, tagOf(subject.digest));
  return digest;
}

async function readOwnList(repository: Repository, digest: string): Promise<ReferrerList | undefined> {
  const manifests: ReferrerList['manifests'] = [];
  let path: string | URL = `referrers/${digest}`;
  for (let pages = 1; ; pages++) {
    const target = path;
    const { answer, bytes } = await withRetries(repository, async () => {
      const answer = await repository.attempt({
        method: 'GET',
        path: target,
        headers: { accept: MEDIA_TYPES.index },
        expected: [200, 400, 404, 405],
        what: `the list of what refers to ${digest}`,
      });
      return { answer, bytes: await readBody(answer, MAX_BYTES) };
    });
    if (answer.status !== 200) return undefined;
    const page = parseList(bytes?.toString() ?? '');
    // Some answer every address with a page for people.
    if (page === undefined) return undefined;
    manifests.push(...page.manifests);
    // https://www.rfc-editor.org/rfc/rfc5988
    const next = /<([^>]+)>\s*;\s*rel="?next"?/.exec(String(answer.headers['link'] ?? ''))?.[1];
    if (next === undefined) return { schemaVersion: 2, manifests };
    const address = parseAddress(next, answer.url);
    if (address === undefined) throw noEnd(repository, digest, 'goes on at what is no address');
    if (pages === MAX_PAGES) throw noEnd(repository, digest, `has more than ${MAX_PAGES} pages`);
    path = address;
  }
}

function noEnd(repository: Repository, digest: string, words: string): CracBuildError {
  return new CracBuildError('REGISTRY_FAILED', `the list of what refers to ${digest} ${words}`, {
    hint: `Its end cannot be found. The administrator of ${repository.host} can mend it.`,
  });
}

async function readTaggedList(repository: Repository, digest: string): Promise<ReferrerList> {
  const found = await fetchManifest(repository, tagOf(digest));
  if (found === undefined) return { schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests: [] };
  const list = parseList(found.bytes.toString());
  if (list !== undefined) return list;
  throw new CracBuildError(
    'IMAGE_INVALID',
    `${repository.name}:${tagOf(digest)} is no list of what refers to an image`,
    {
      hint: 'Delete that tag in the registry.',
    },
  );
}

function parseList(text: string): ReferrerList | undefined {
  try {
    return REFERRERS.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema */
function tagOf(digest: string): string {
  return digest.replace(':', '-');
}
