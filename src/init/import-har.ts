import { basename } from 'node:path';
import { CracBuildError } from '../errors.ts';
import { keepBody } from './har-body.ts';
import { keepHeaders } from './har-headers.ts';
import { chooseHost, type Recorded, TO_OTHERS, whyLeftOut } from './har-requests.ts';
import { parseHar } from './har-schema.ts';
import { count, type Imported, type ImportedStep, isSafe, wholeStatus } from './imported.ts';
import { maskPath, PLACEHOLDER } from './secrets.ts';

export interface HarOptions {
  /** "shop.example:8443"; the one with the most pages where it is left out. */
  readonly host?: string;
  readonly keepAssets: boolean;
  readonly keepThinkTimes: boolean;
}

/** A recording of one user → one scenario with the requests to one host, in their order. Pure; `path` is for messages. */
export function importHar(text: string, path: string, options: HarOptions): Imported {
  const recorded = parseHar(text, path)
    .map((entry) => ({ entry, url: new URL(entry.request.url) }))
    .sort((a, b) => startOf(a) - startOf(b));
  const host = chooseHost(recorded, path, options.host);
  const tally = new Map<string, number>();
  const others = new Set<string>();
  const kept = recorded.filter((request) => {
    const reason = whyLeftOut(request, host, options);
    if (reason === TO_OTHERS) others.add(request.url.host);
    if (reason !== undefined) tally.set(reason, (tally.get(reason) ?? 0) + 1);
    return reason === undefined;
  });
  const notes = [...tally].map(
    ([reason, amount]) =>
      `${count(amount, 'request')} left out: ${reason === TO_OTHERS ? `to ${listHosts([...others])} (--host takes another)` : reason}`,
  );
  const steps = kept.map((request, index) => {
    const thinkMs = options.keepThinkTimes ? thinkTime(request, kept[index + 1]) : 0;
    return { ...composeStep(request), ...(thinkMs === 0 ? {} : { thinkMs }) };
  });
  if (steps.length === 0) {
    throw new CracBuildError('INPUT_INVALID', `${path}: no request to ${host} is left to warm up with`, {
      hint: 'Name another host with --host, or keep static files with --include-assets.',
      details: notes,
    });
  }
  return {
    source: `HAR ${basename(path)}`,
    scenarios: [{ name: host, steps, comments: sayHowToSignIn(kept) }],
    notes: [...notes, ...countWrites(steps)],
  };
}

function startOf({ entry }: Recorded): number {
  return Date.parse(entry.startedDateTime);
}

function composeStep({ entry, url }: Recorded): ImportedStep {
  const { request, response } = entry;
  const masked = maskPath(`${url.pathname}${url.search}`) ?? { path: url.pathname, masked: [] };
  const headers = keepHeaders(request.headers ?? []);
  const body = isSafe(request.method) ? { comments: [] } : keepBody(request);
  /** The runner writes the type of a form by itself. */
  const { 'content-type': contentType, ...others } = headers.kept;
  const kept = 'body' in body && contentType !== undefined ? { ...others, 'content-type': contentType } : others;
  const status = wholeStatus(response.status);
  return {
    method: request.method.toUpperCase(),
    path: masked.path,
    ...(Object.keys(kept).length === 0 ? {} : { headers: kept }),
    ...('body' in body ? { body: body.body } : {}),
    ...('form' in body ? { form: body.form } : {}),
    ...(status === 200 ? {} : { status }),
    comments: [
      ...masked.masked.map((name) => `${name} was a secret: replace ${PLACEHOLDER} by a synthetic one`),
      ...(headers.secrets.length === 0 ? [] : [`left out: ${headers.secrets.join(', ')} (secret)`]),
      ...body.comments,
    ],
  };
}

/** Below it a browser did not wait for anybody. */
const SHORTEST_MS = 10;

/** From the end of an answer to the next request, in milliseconds; requests that overlapped had none. */
function thinkTime(request: Recorded, next: Recorded | undefined): number {
  if (next === undefined) return 0;
  const thinkMs = Math.round(startOf(next) - startOf(request) - Math.max(0, request.entry.time ?? 0));
  return thinkMs < SHORTEST_MS ? 0 : thinkMs;
}

function sayHowToSignIn(recorded: readonly Recorded[]): readonly string[] {
  const headers = recorded.map(({ entry }) => entry.request.headers ?? []);
  const hasCookies = headers.some((list) => list.some(({ name }) => /^cookie$/i.test(name)));
  const hasSecrets = headers.some((list) => keepHeaders(list).secrets.length > 0);
  return [
    ...(hasCookies ? ['Cookies were left out: those that the app sets are kept while the scenario runs.'] : []),
    ...(hasSecrets
      ? [
          "A token can be taken from an earlier answer, `capture: { token: { json: '$.token' } }`, and sent later, `headers: { authorization: 'Bearer {{token}}' }`.",
        ]
      : []),
  ];
}

function countWrites(steps: readonly ImportedStep[]): readonly string[] {
  const methods = steps.map(({ method }) => method).filter((method) => !isSafe(method));
  if (methods.length === 0) return [];
  return [
    `${count(methods.length, 'request')} may write (${[...new Set(methods)].join(', ')}): the app of the build will get ${methods.length === 1 ? 'it' : 'them'}`,
  ];
}

const MAX_HOSTS = 4;

function listHosts(hosts: readonly string[]): string {
  const more = hosts.length - MAX_HOSTS;
  return more > 0 ? `${hosts.slice(0, MAX_HOSTS).join(', ')} and ${more} more` : hosts.join(', ');
}
