import type { Readable } from 'node:stream';
import { type Dispatcher, request } from 'undici';
import { CracBuildError } from '../../errors.ts';
import type { RegistryAccess } from './access.ts';
import { readCertificates } from './certificates.ts';
import { openDispatchers } from './dispatchers.ts';
import { explainConnection, speaksNoTls } from './explain-connection.ts';
import { isInsecure } from './is-insecure.ts';
import { isLoopback } from './place-repository.ts';
import { discardBody } from './read-body.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** A stream is opened again for each attempt. */
  readonly body?: Buffer | (() => Readable);
  /** Instead of that of the access: for what is to be done after an interruption. */
  readonly signal?: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  /** Must be read to its end, dumped or destroyed. */
  readonly body: Dispatcher.ResponseData['body'];
  /** Where it came from, after all redirects. */
  readonly url: URL;
}

/** Connections to one registry, and wherever it leads from there. */
export interface Transport extends AsyncDisposable {
  /** `https://HOST` or, where that is allowed and needed, `http://HOST`: as URL has it, in small letters and without a usual port. */
  readonly origin: string;
  /** One attempt. Network errors are TransientFailure, or REGISTRY_FAILED where the next would fail as well. */
  send(request: HttpRequest): Promise<HttpAnswer>;
}

const MAX_REDIRECTS = 5;

export async function openTransport(apiHost: string, access: RegistryAccess): Promise<Transport> {
  const { environment, insecureHosts, signal } = access;
  const place = new URL(`https://${apiHost}`);
  const mayBePlain = isLoopback(place.host) || isInsecure(place, insecureHosts);
  const dispatchers = openDispatchers(await readCertificates(apiHost, environment), environment, insecureHosts);
  const close = () => dispatchers[Symbol.asyncDispose]();
  try {
    const scheme = mayBePlain ? await findScheme(apiHost, dispatchers.choose, signal) : 'https';
    const origin = new URL(`${scheme}://${apiHost}`);
    const context = { choose: dispatchers.choose, insecureHosts, origin };
    const send = (request: HttpRequest) => follow(request, context, request.signal ?? signal);
    return { origin: origin.origin, send, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function findScheme(apiHost: string, choose: Choose, signal: AbortSignal): Promise<'http' | 'https'> {
  const url = new URL(`https://${apiHost}/v2/`);
  try {
    const { body } = await request(url, { dispatcher: choose(url), signal });
    await body.dump();
    return 'https';
  } catch (error) {
    signal.throwIfAborted();
    return speaksNoTls(error) ? 'http' : 'https'; // any other error comes again, and is told then
  }
}

type Choose = (url: URL) => Dispatcher;

interface Context {
  readonly choose: Choose;
  readonly insecureHosts: readonly string[];
  /** Of the registry, which may have told the address of a request. */
  readonly origin: URL;
}

/** Redirects lead to where blobs are kept. The authorization is for the registry only. */
async function follow(
  { method, url, headers, body }: HttpRequest,
  { choose, insecureHosts, origin }: Context,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  if (!mayGo(origin, url, insecureHosts)) throw refuse(origin, url);
  let target = url;
  let sent = headers;
  for (let redirects = 0; ; redirects++) {
    const answer = await sendOnce(method, target, sent, body, choose, signal);
    const location = headerOf(answer, 'location');
    if (![301, 302, 303, 307, 308].includes(answer.status) || location === undefined) return answer;
    await discardBody(answer);
    if (!URL.canParse(location, target.href)) throw cannotAsk(url, 'it leads to what is no address');
    const next = new URL(location, target);
    if (redirects === MAX_REDIRECTS) throw cannotAsk(url, `${MAX_REDIRECTS} redirects were not enough`);
    if (!mayGo(target, next, insecureHosts)) throw refuse(url, next);
    if (next.origin !== target.origin) {
      const { authorization: _, ...others } = sent;
      sent = others;
    }
    target = next;
  }
}

function mayGo(from: URL, to: URL, insecureHosts: readonly string[]): boolean {
  if (to.protocol === 'https:') return true;
  const mayBePlain = from.protocol === 'http:' || isLoopback(to.host) || isInsecure(to, insecureHosts);
  return to.protocol === 'http:' && mayBePlain;
}

async function sendOnce(
  method: HttpRequest['method'],
  url: URL,
  headers: HttpRequest['headers'],
  body: HttpRequest['body'],
  choose: Choose,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const stream = typeof body === 'function' ? body() : body;
  try {
    const answer = await request(url, {
      method,
      headers,
      dispatcher: choose(url),
      signal,
      ...(stream === undefined ? {} : { body: stream }),
    });
    return { status: answer.statusCode, headers: answer.headers, body: answer.body, url };
  } catch (error) {
    signal.throwIfAborted();
    throw explainConnection(error, url.host);
  } finally {
    if (stream !== undefined && !Buffer.isBuffer(stream)) stream.destroy();
  }
}

export function headerOf({ headers }: Pick<HttpAnswer, 'headers'>, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function refuse(url: URL, { protocol, host }: URL): CracBuildError {
  return cannotAsk(url, `it leads to ${protocol}//${host}, which is not encrypted`);
}

/** Queries hold states and signatures that are nobody's business. */
function cannotAsk(url: URL, words: string): CracBuildError {
  return new CracBuildError('REGISTRY_FAILED', `${url.host} cannot be asked for ${url.pathname}: ${words}`, {
    hint: 'The registry, or a proxy before it, is set up wrongly. Its administrator can mend it.',
  });
}
