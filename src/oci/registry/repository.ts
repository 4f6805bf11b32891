import { CracBuildError } from '../../errors.ts';
import type { Reference } from '../reference.ts';
import type { RegistryAccess } from './access.ts';
import { openAuthorizer } from './authorize.ts';
import { readCredentials } from './credentials.ts';
import { explainAnswer } from './explain-answer.ts';
import { placeRepository } from './place-repository.ts';
import { discardBody } from './read-body.ts';
import { DEFAULT_PATIENCE, type Patience, withRetries } from './retry.ts';
import { type HttpAnswer, type HttpRequest, openTransport } from './transport.ts';

/** A repository of a registry, with connections and tokens for it. Nothing is asked until the first request. */
export interface Repository extends AsyncDisposable {
  /** As people write it. */
  readonly host: string;
  readonly name: string;
  readonly patience: Patience;
  readonly signal: AbortSignal;
  /**
   * One attempt, authorized. Answers with a status not in `expected` are thrown: TransientFailure, REGISTRY_DENIED (401, 403),
   * REGISTRY_FAILED. The body must be read, dumped or destroyed.
   */
  attempt(request: RepositoryRequest): Promise<HttpAnswer>;
  /** As attempt(), again and again after failures that may pass. */
  send(request: RepositoryRequest): Promise<HttpAnswer>;
}

export interface RepositoryRequest extends Omit<HttpRequest, 'url' | 'headers'> {
  /** Below /v2/NAME/; or a whole address that the registry gave. */
  readonly path: string | URL;
  readonly headers?: HttpRequest['headers'];
  readonly expected: readonly number[];
  /** Completes "the registry refuses …" and "… fails at …". */
  readonly what: string;
  /** Besides that of the repository: "repository:NAME:pull". */
  readonly extraScope?: string;
}

const USER_AGENT = 'crac-build';

/** `actions`: what will be done. https://distribution.github.io/distribution/spec/auth/scope/ */
export async function openRepository(
  reference: Reference,
  actions: 'pull' | 'pull,push',
  access: RegistryAccess,
): Promise<Repository> {
  const { environment, insecureHosts, signal, patience = DEFAULT_PATIENCE } = access;
  const place = placeRepository(reference);
  const found = await readCredentials(place, environment, signal);
  const transport = await openTransport(place.apiHost, access);
  const authorizer = openAuthorizer(transport, found, { patience, signal, insecureHosts });
  const scope = `repository:${place.name}:${actions}`;

  const attempt = async (request: RepositoryRequest): Promise<HttpAnswer> => {
    const { method, path, headers = {}, body, expected, what, extraScope, signal: own } = request;
    const url = path instanceof URL ? path : new URL(`/v2/${place.name}/${path}`, transport.origin);
    const scopes = extraScope === undefined ? [scope] : [scope, extraScope];
    for (let refusals = 0; ; refusals++) {
      // Addresses that the registry gave may lead elsewhere.
      const authorization = url.origin === transport.origin ? await authorizer.header(scopes, own) : undefined;
      const answer = await transport.send({
        method,
        url,
        headers: {
          'user-agent': USER_AGENT,
          ...headers,
          ...(authorization === undefined ? {} : { authorization }),
        },
        ...(body === undefined ? {} : { body }),
        ...(own === undefined ? {} : { signal: own }),
      });
      if (expected.includes(answer.status)) return answer;
      const mayTryAgain =
        answer.status === 401 && refusals === 0 && (await authorizer.learn(answer, scopes, authorization));
      if (!mayTryAgain) throw await explainAnswer(answer, what, authorizer.source);
      await discardBody(answer);
    }
  };
  return {
    host: place.host,
    name: place.name,
    patience,
    signal,
    attempt,
    send: (request) => withRetries({ patience, signal }, () => attempt(request)),
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  };
}

/** The same, but ended by another signal: for what is to be done whatever is asked for meanwhile. */
export function withSignal(repository: Repository, signal: AbortSignal): Repository {
  const attempt = (request: RepositoryRequest) => repository.attempt({ signal, ...request });
  const send = (request: RepositoryRequest) =>
    withRetries({ patience: repository.patience, signal }, () => attempt(request));
  return { ...repository, signal, attempt, send };
}

/** Where the registry says to go on. */
export function parseLocation({ headers, url }: HttpAnswer): URL {
  const text = headers['location'];
  const location = typeof text === 'string' ? parseAddress(text, url) : undefined;
  if (location !== undefined) return location;
  throw new CracBuildError('REGISTRY_FAILED', `${url.host} accepts an upload but does not say where to`, {
    hint: 'Something before the registry takes its Location header away. Its administrator can mend it.',
  });
}

/** One that came with the answer of `url`. A registry behind a proxy that ends TLS may not know that it is reached over https. */
export function parseAddress(text: string, url: URL): URL | undefined {
  if (!URL.canParse(text, url.href)) return undefined;
  const address = new URL(text, url);
  if (address.host === url.host) address.protocol = url.protocol;
  return address;
}
