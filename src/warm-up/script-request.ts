import type { Answer } from './answer.ts';
import { checkAnswer } from './check-answer.ts';
import { type ComposedRequest, composePath } from './compose-request.ts';
import type { CookieJar } from './cookie-jar.ts';
import type { Traffic } from './run-scenario.ts';
import { type Expectation, nameEndpoint, type ScriptScenario } from './scenario.ts';
import type { RequestOptions } from './script-api.ts';
import type { Wanted } from './script-messages.ts';
import { requirePort } from './script-port.ts';
import { sendRequest } from './send-request.ts';

type WantedRequest = Wanted & { readonly kind: 'request' };

/** Nothing is filled in: a script has its own ways to do that. */
export async function sendScriptRequest(
  { method, path, options }: WantedRequest,
  scenario: ScriptScenario,
  jar: CookieJar,
  traffic: Traffic,
  signal: AbortSignal,
): Promise<Answer> {
  if (!/^[A-Z]+$/.test(method)) throw new Error(`${method} is not an HTTP method in capitals`);
  const asked = { method, path: options.endpoint ?? path };
  const sent = {
    endpoint: nameEndpoint(asked),
    port: requirePort(options.port ?? scenario.port, scenario),
    request: composeScriptRequest(method, path, options),
  };
  const answer = await sendRequest(sent, { jar }, traffic, signal);
  const expect = composeExpectation(options.expect);
  if (expect !== undefined) checkAnswer({ ...asked, expect, capture: {} }, answer);
  return answer;
}

function composeScriptRequest(method: string, path: string, options: RequestOptions): ComposedRequest {
  const { type, body } = composeBody(options);
  const headers = Object.entries(options.headers ?? {}).map(([name, value]) => [name.toLowerCase(), `${value}`]);
  return {
    method,
    path: composePath(path),
    headers: { ...(type === undefined ? {} : { 'content-type': type }), ...Object.fromEntries(headers) },
    body,
  };
}

function composeBody({ body, json, form }: RequestOptions): {
  readonly type?: string;
  readonly body: ComposedRequest['body'];
} {
  if (json !== undefined) return { type: 'application/json', body: JSON.stringify(json) };
  if (form === undefined) return { body: body ?? null };
  return { type: 'application/x-www-form-urlencoded', body: new URLSearchParams(form).toString() };
}

function composeExpectation(given: RequestOptions['expect'] = {}): Expectation | undefined {
  if (given === false) return undefined;
  const { status = 200, headers = {}, ...rest } = typeof given === 'number' ? { status: given } : given;
  return { ...rest, status, headers };
}
