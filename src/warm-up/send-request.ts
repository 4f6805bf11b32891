import { type Dispatcher, errors } from 'undici';
import type { Answer } from './answer.ts';
import type { ComposedRequest } from './compose-request.ts';
import { NoAnswer } from './no-answer.ts';
import type { Traffic, User } from './run-scenario.ts';

export interface Sent {
  /** "GET /orders/{{id}}": one for all values. */
  readonly endpoint: string;
  readonly port: number;
  readonly request: ComposedRequest;
}

/** With the user's cookies; its answer is a sample, whatever it is. NoAnswer, or the signal's reason otherwise. */
export async function sendRequest(
  { endpoint, port, request }: Sent,
  { jar }: Pick<User, 'jar'>,
  { pools, onSample, pending }: Pick<Traffic, 'pools' | 'onSample' | 'pending'>,
  signal: AbortSignal,
): Promise<Answer> {
  const cookie = jar.render(request.path);
  const headers = cookie === undefined ? request.headers : addCookie(request.headers, cookie);
  const sent = { endpoint, startedMs: performance.now() };
  pending.add(sent);
  try {
    const response = await requestOverLiveConnection(pools.get(port), { ...request, headers }, signal);
    const body = new Uint8Array(await response.body.arrayBuffer());
    onSample({ ...sent, latencyMs: performance.now() - sent.startedMs });
    const setCookies = response.headers['set-cookie'] ?? [];
    jar.keep(typeof setCookies === 'string' ? [setCookies] : setCookies, request.path);
    pending.delete(sent);
    return { path: request.path, status: response.statusCode, headers: response.headers, body };
  } catch (error) {
    /** What an abort has cut short stays pending: who explains it looks there. */
    if (signal.aborted) throw error;
    pending.delete(sent);
    throw new NoAnswer(sent.endpoint, error);
  }
}

function addCookie(headers: ComposedRequest['headers'], cookie: string): ComposedRequest['headers'] {
  const own = headers['cookie'];
  return { ...headers, cookie: own === undefined ? cookie : `${own}; ${cookie}` };
}

/** May be sent twice, https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2. */
const IDEMPOTENT = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE'];

/**
 * A server may close a kept connection at the moment a request goes out over it: then the request is sent again over
 * another, as every browser does (https://www.rfc-editor.org/rfc/rfc9112#section-9.3.1). Each try uses up one connection
 * that was kept; the failure of a new one counts.
 */
async function requestOverLiveConnection(
  dispatcher: Dispatcher,
  { method, path, headers, body }: ComposedRequest,
  signal: AbortSignal,
) {
  for (;;) {
    try {
      return await dispatcher.request({ method: method as Dispatcher.HttpMethod, path, headers, body, signal });
    } catch (error) {
      if (!IDEMPOTENT.includes(method) || !wasKeptConnection(error)) throw error;
    }
  }
}

/** It had answered before. */
function wasKeptConnection(error: unknown): boolean {
  return error instanceof errors.SocketError && (error.socket?.bytesRead ?? 0) > 0;
}
