import { homedir } from 'node:os';
import { join } from 'node:path';
import { type AuthFile, findAuth, readAuthFile } from './auth-file.ts';
import { askCredentialHelper } from './credential-helper.ts';
import type { RepositoryPlace } from './place-repository.ts';

/** Secret: never in a message, an event or a result. */
export type Credentials =
  | { readonly kind: 'password'; readonly user: string; readonly password: string }
  /** What `docker login` gets where it is given a token for tokens (OAuth2's refresh token). */
  | { readonly kind: 'identity-token'; readonly token: string };

export interface FoundCredentials {
  readonly credentials: Credentials;
  /** For people: a file, or a helper. */
  readonly source: string;
}

/** What `docker login` and `podman login` have left: the first file that knows the host wins. */
export async function readCredentials(
  place: RepositoryPlace,
  environment: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<FoundCredentials | undefined> {
  for (const path of listAuthFiles(environment)) {
    const file = await readAuthFile(path);
    if (file === undefined) continue;
    const found = await lookInto(file, path, place, environment, signal);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** https://github.com/containers/image/blob/v5.34.0/docs/containers-auth.json.5.md; what is named explicitly comes first. */
export function listAuthFiles(environment: Readonly<Record<string, string | undefined>>): readonly string[] {
  const { REGISTRY_AUTH_FILE, DOCKER_CONFIG, XDG_RUNTIME_DIR, XDG_CONFIG_HOME, HOME } = environment;
  const home = HOME || homedir();
  return [
    ...(REGISTRY_AUTH_FILE ? [REGISTRY_AUTH_FILE] : []),
    ...(DOCKER_CONFIG ? [join(DOCKER_CONFIG, 'config.json')] : []),
    ...(XDG_RUNTIME_DIR ? [join(XDG_RUNTIME_DIR, 'containers/auth.json')] : []),
    join(XDG_CONFIG_HOME || join(home, '.config'), 'containers/auth.json'),
    ...(DOCKER_CONFIG ? [] : [join(home, '.docker/config.json')]),
  ];
}

async function lookInto(
  file: AuthFile,
  path: string,
  place: RepositoryPlace,
  environment: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<FoundCredentials | undefined> {
  const { host } = place;
  const helper = file.credHelpers?.[host] ?? file.credsStore;
  if (helper) {
    // Docker Hub's entry is under the address of an API that is no more.
    const server = host === 'docker.io' ? 'https://index.docker.io/v1/' : host;
    const credentials = await askCredentialHelper(helper, server, path, environment, signal);
    if (credentials !== undefined) return { credentials, source: `docker-credential-${helper} (${path})` };
  }
  const credentials = findAuth(file, place);
  return credentials === undefined ? undefined : { credentials, source: path };
}
