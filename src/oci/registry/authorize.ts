import { z } from 'zod';
import { CracBuildError } from '../../errors.ts';
import type { Challenge } from './challenge.ts';
import { parseChallenges } from './challenge.ts';
import type { FoundCredentials } from './credentials.ts';
import { explainAnswer } from './explain-answer.ts';
import { isInsecure } from './is-insecure.ts';
import { isLoopback } from './place-repository.ts';
import { readBody } from './read-body.ts';
import { type Patience, withRetries } from './retry.ts';
import type { HttpAnswer, Transport } from './transport.ts';

/** What goes into the Authorization header of requests to one registry. */
export interface Authorizer {
  /** Undefined while the registry has not asked for any. `scopes` are those of the request, and so is `signal` where it has its own. */
  header(scopes: readonly string[], signal?: AbortSignal): Promise<string | undefined>;
  /** After 401 to a request with `sent`, which others may have got meanwhile, too: whether it may go well the next time. */
  learn(answer: HttpAnswer, scopes: readonly string[], sent: string | undefined): Promise<boolean>;
  readonly source: string | undefined;
}

const TOKEN = z.looseObject({
  token: z.string().optional(),
  access_token: z.string().optional(),
  expires_in: z.number().optional(),
});

const MAX_TOKEN_BYTES = 1 << 20;
const CLIENT_ID = 'crac-build';
/** What a token lives where the server does not say. https://distribution.github.io/distribution/spec/auth/token/ */
const DEFAULT_LIFE_S = 60;
/** It must not die on its way. */
const MARGIN_S = 10;

interface Token {
  readonly value: string;
  readonly expiresAtMs: number;
}

export function openAuthorizer(
  transport: Transport,
  found: FoundCredentials | undefined,
  context: { readonly patience: Patience; readonly signal: AbortSignal; readonly insecureHosts: readonly string[] },
): Authorizer {
  let challenge: Challenge | undefined;
  const tokens = new Map<string, Promise<Token>>();

  const fetchToken = (bearer: Challenge, scopes: readonly string[], signal = context.signal) => {
    const key = scopes.join(' ');
    const token = withRetries({ patience: context.patience, signal }, () =>
      requestToken(transport, bearer, scopes, found, { insecureHosts: context.insecureHosts, signal }),
    );
    token.catch(() => tokens.delete(key));
    tokens.set(key, token);
    return token;
  };
  return {
    source: found?.source,
    header: async (scopes, signal) => {
      if (challenge === undefined) return undefined;
      if (challenge.scheme === 'basic') return renderBasic(found);
      const key = scopes.join(' ');
      const known = tokens.get(key);
      if (known !== undefined && (await known).expiresAtMs <= Date.now() && tokens.get(key) === known)
        tokens.delete(key);
      return `Bearer ${(await (tokens.get(key) ?? fetchToken(challenge, scopes, signal))).value}`;
    },
    learn: async (answer, scopes, sent) => {
      const offered = parseChallenges(answer.headers['www-authenticate']);
      challenge =
        offered.find(({ scheme, parameters }) => scheme === 'bearer' && parameters['realm'] !== undefined) ??
        offered.find(({ scheme }) => scheme === 'basic');
      if (challenge === undefined) return false;
      if (challenge.scheme === 'basic') return sent !== renderBasic(found);
      // A token may have been taken back before its time.
      const known = await tokens.get(scopes.join(' '));
      if (known !== undefined && sent === `Bearer ${known.value}`) tokens.delete(scopes.join(' '));
      return true;
    },
  };
}

function renderBasic(found: FoundCredentials | undefined): string | undefined {
  if (found?.credentials.kind !== 'password') return undefined;
  const { user, password } = found.credentials;
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

/** GET with the password, or without any; POST with an identity token, which only the second form of the protocol takes. */
async function requestToken(
  transport: Transport,
  { parameters }: Challenge,
  scopes: readonly string[],
  found: FoundCredentials | undefined,
  { insecureHosts, signal }: { readonly insecureHosts: readonly string[]; readonly signal: AbortSignal },
): Promise<Token> {
  const realm = parseRealm(parameters['realm'] ?? '', transport.origin, insecureHosts);
  const service = parameters['service'];
  const identity = found?.credentials.kind === 'identity-token' ? found.credentials.token : undefined;
  const fields = new URLSearchParams();
  if (service !== undefined) fields.append('service', service);
  let answer: HttpAnswer;
  if (identity === undefined) {
    for (const scope of scopes) fields.append('scope', scope);
    const basic = renderBasic(found);
    const url = new URL(realm);
    for (const [name, value] of fields) url.searchParams.append(name, value);
    const headers: Record<string, string> = basic === undefined ? {} : { authorization: basic };
    answer = await transport.send({ method: 'GET', url, headers, signal });
  } else {
    fields.append('scope', scopes.join(' '));
    fields.append('grant_type', 'refresh_token');
    fields.append('client_id', CLIENT_ID);
    fields.append('refresh_token', identity);
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    answer = await transport.send({
      method: 'POST',
      url: realm,
      headers,
      body: Buffer.from(fields.toString()),
      signal,
    });
  }
  if (answer.status !== 200) throw await explainAnswer(answer, `a token from ${realm.host}`, found?.source);
  return parseToken((await readBody(answer, MAX_TOKEN_BYTES))?.toString() ?? '', realm.host);
}

function parseRealm(realm: string, origin: string, insecureHosts: readonly string[]): URL {
  const url = URL.canParse(realm, origin) ? new URL(realm, origin) : undefined;
  const isSafe =
    url?.protocol === 'https:' ||
    (url?.protocol === 'http:' && (isLoopback(url.host) || isInsecure(url, insecureHosts)));
  if (url !== undefined && isSafe) return url;
  throw new CracBuildError('REGISTRY_FAILED', `${origin} sends for tokens to where no password may go: ${realm}`, {
    hint: 'The address must be an encrypted one. The administrator of the registry can mend it.',
  });
}

function parseToken(json: string, host: string): Token {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    value = undefined;
  }
  const { data } = TOKEN.safeParse(value);
  const token = data?.token || data?.access_token;
  if (data === undefined || !token) {
    throw new CracBuildError('REGISTRY_FAILED', `${host} gives no token, but something else`, {
      hint: 'The administrator of the registry can mend it.',
    });
  }
  const lifeS = Math.max(DEFAULT_LIFE_S, data.expires_in ?? 0);
  return { value: token, expiresAtMs: Date.now() + (lifeS - MARGIN_S) * 1000 };
}
