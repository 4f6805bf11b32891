import { CracBuildError } from '../../errors.ts';
import { digestOf } from '../blob-store.ts';
import { discardBody } from './read-body.ts';
import type { Repository } from './repository.ts';
import { headerOf } from './transport.ts';

/**
 * Stores a manifest, or an index, under a tag or its own digest. What it points at must be there. `hasReferrers`: the registry keeps
 * the manifest's `subject` by itself. https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests
 */
export async function pushManifest(
  repository: Repository,
  manifest: { readonly mediaType: string; readonly bytes: Buffer },
  tag?: string,
): Promise<{ readonly digest: string; readonly hasReferrers: boolean }> {
  const digest = digestOf(manifest.bytes);
  const what = `the manifest ${repository.name}${tag === undefined ? `@${digest}` : `:${tag}`}`;
  const answer = await repository.send({
    method: 'PUT',
    path: `manifests/${tag ?? digest}`,
    headers: { 'content-type': manifest.mediaType },
    body: manifest.bytes,
    expected: [201],
    what,
  });
  await discardBody(answer);
  checkDigest(headerOf(answer, 'docker-content-digest'), digest, what);
  return { digest, hasReferrers: headerOf(answer, 'oci-subject') !== undefined };
}

/** What a registry that has stored something says of it. */
function checkDigest(told: string | undefined, digest: string, what: string): void {
  if (told === undefined || !told.startsWith('sha256:') || told === digest) return;
  throw new CracBuildError('REGISTRY_FAILED', `the registry has stored ${what} as ${told} and not as ${digest}`, {
    hint: 'It, or something before it, changes what is sent. Its administrator can mend it.',
  });
}
