import { basename } from 'node:path';
import { CracBuildError } from '../errors.ts';
import { keepBody } from './har-body.ts';
import { keepHeaders, LEFT_OUT } from './har-headers.ts';
import { type HarEntry, parseHar } from './har-schema.ts';
import { count, type Imported, type ImportedStep, isSafe, wholeStatus } from './imported.ts';
import { maskPath, PLACEHOLDER } from './secrets.ts';
import { isStaticAsset } from './static-assets.ts';

export interface HarOptions {
  /** "shop.example:8443"; the one with the most pages where it is left out. */
  readonly host?: string;
  readonly keepAssets: boolean;
  readonly keepThinkTimes: boolean;
}

interface Recorded {
  readonly entry: HarEntry;
  readonly url: URL;
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
    scenarios: [{ name: host, steps, comments: sayHowToSignIn(kept, steps) }],
    notes: [...notes, ...countWrites(steps)],
  };
}

function startOf({ entry }: Recorded): number {
  return Date.parse(entry.startedDateTime);
}

const WEB = /^https?:$/;
const TO_OTHERS = 'to other hosts';
const MAX_HOSTS = 4;

function listHosts(hosts: readonly string[]): string {
  const more = hosts.length - MAX_HOSTS;
  return more > 0 ? `${hosts.slice(0, MAX_HOSTS).join(', ')} and ${more} more` : hosts.join(', ');
}

function chooseHost(recorded: readonly Recorded[], path: string, wanted: string | undefined): string {
  /** Pages, not requests: scripts that report home do so again and again. */
  const pages = new Map<string, Set<string>>();
  for (const request of recorded) {
    const { host, protocol, pathname } = request.url;
    if (!WEB.test(protocol)) continue;
    const seen = pages.get(host) ?? new Set();
    pages.set(host, seen);
    if (whyLeftOut(request, host, { keepAssets: false }) === undefined) seen.add(pathname);
  }
  const hosts = [...pages].sort(([, a], [, b]) => b.size - a.size).map(([host]) => host);
  if (wanted !== undefined && !hosts.includes(wanted)) {
    throw new CracBuildError('INPUT_INVALID', `${path} has no request to ${wanted}`, {
      hint: 'Give --host one of these, with its port where it has one.',
      details: hosts,
    });
  }
  const host = wanted ?? hosts[0];
  if (host !== undefined) return host;
  throw new CracBuildError('INPUT_INVALID', `${path} has no request to http:// or https://`, {
    hint: 'Record what the app is asked.',
  });
}

function whyLeftOut(
  { entry, url }: Recorded,
  host: string,
  { keepAssets }: Pick<HarOptions, 'keepAssets'>,
): string | undefined {
  const { status, content } = entry.response;
  if (!WEB.test(url.protocol)) return `${url.protocol}// is not HTTP`;
  if (url.host !== host) return TO_OTHERS;
  if (!/^[A-Z]+$/i.test(entry.request.method)) return 'a method that HTTP does not have';
  if (entry.request.method === 'OPTIONS') return 'OPTIONS, which browsers send on their own';
  /** Recorders have negative numbers of their own. */
  if (status < 100) return 'no answer came';
  if (status === 101) return 'a WebSocket began';
  if (status >= 400) return 'answered with 400 or more';
  if (!keepAssets && isStaticAsset(url.pathname, content?.mimeType))
    return 'static files (--include-assets keeps them)';
  if (maskPath(url.pathname) === undefined) return 'a secret is in the path';
  return undefined;
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
      ...headers.comments,
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

function sayHowToSignIn(recorded: readonly Recorded[], steps: readonly ImportedStep[]): readonly string[] {
  const hasCookies = recorded.some(({ entry }) => entry.request.headers?.some(({ name }) => /^cookie$/i.test(name)));
  const hasSecrets = steps.some(({ comments }) => comments.some((comment) => comment.startsWith(LEFT_OUT)));
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
