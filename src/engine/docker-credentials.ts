import { isCracBuildError } from '../errors.ts';
import { parseReference } from '../oci/reference.ts';
import { type Credentials, readCredentials } from '../oci/registry/credentials.ts';
import { placeRepository, type RepositoryPlace } from '../oci/registry/place-repository.ts';

/** What `docker login` or `podman login` have left for an image's registry: the daemon has no credentials of its own. */
export async function readPullCredentials(
  reference: string,
  environment: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<Credentials | undefined> {
  const place = placeImage(reference);
  return place && (await readCredentials(place, environment, signal))?.credentials;
}

/** What is no reference is for the daemon to tell. */
function placeImage(reference: string): RepositoryPlace | undefined {
  try {
    return placeRepository(parseReference(reference));
  } catch (error) {
    if (isCracBuildError(error, 'USAGE')) return undefined;
    throw error;
  }
}
