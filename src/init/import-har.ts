import { basename } from 'node:path';
import { CracBuildError } from '../errors.ts';
import { keepBody } from './har-body.ts';
import { keepHeaders } from './har-headers.ts';
import { type HarEntry, parseHar } from './har-schema.ts';
import { count, type Imported, type ImportedStep, isSafe, wholeStatus } from './imported.ts';
import { maskPath, PLACEHOLDER } from './secrets.ts';
import { isStaticAsset } from './static-assets.ts';

export interface HarOptions {
  /** "shop.example:8443"; the one that was asked most where it is left out. */
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
  const kept = recorded.filter((request) => {
    const reason = whyLeftOut(request, host, options);
    if (reason !== undefined) tally.set(reason, (tally.get(reason) ?? 0) + 1);
    return reason === undefined;
  });
  const notes = [...tally].map(([reason, amount]) => `${count(amount, 'request')} left out: ${reason}`);
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
    scenarios: [{ name: host, steps, comments: sayHowToSignIn(steps) }],
    notes: [...notes, ...countWrites(steps)],
  };
}

function startOf({ entry }: Recorded): number {
  return Date.parse(entry.startedDateTime);
}

const WEB = /^https?:$/;

function chooseHost(recorded: readonly Recorded[], path: string, wanted: string | undefined): string {
  const amounts = new Map<string, number>();
  for (const { entry, url } of recorded) {
    if (!WEB.test(url.protocol)) continue;
    const weight = isStaticAsset(url.pathname, entry.response.content?.mimeType) ? 0 : 1;
    amounts.set(url.host, (amounts.get(url.host) ?? 0) + weight);
  }
  const hosts = [...amounts].sort(([, a], [, b]) => b - a).map(([host]) => host);
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

function whyLeftOut({ entry, url }: Recorded, host: string, { keepAssets }: HarOptions): string | undefined {
  const { status, content } = entry.response;
  if (!WEB.test(url.protocol)) return `${url.protocol} is not HTTP`;
  if (url.host !== host) return `to ${url.host}`;
  if (entry.request.method === 'OPTIONS') return 'OPTIONS, which browsers send on their own';
  if (status === 0) return 'no answer came';
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
  const body = isSafe(request.method) ? { comments: [] } : keepBody(request.postData);
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

/** From the end of an answer to the next request, in milliseconds; requests that overlapped had none. */
function thinkTime(request: Recorded, next: Recorded | undefined): number {
  if (next === undefined) return 0;
  return Math.max(0, Math.round(startOf(next) - startOf(request) - Math.max(0, request.entry.time ?? 0)));
}

function sayHowToSignIn(steps: readonly ImportedStep[]): readonly string[] {
  if (!steps.some(({ comments }) => comments.some((comment) => comment.startsWith('left out: ')))) return [];
  return [
    'Cookies that the app sets are kept while a scenario runs. A token from an earlier answer can be captured and sent:',
    "`capture: { token: { json: '$.token' } }` there, `headers: { authorization: 'Bearer {{token}}' }` here.",
  ];
}

function countWrites(steps: readonly ImportedStep[]): readonly string[] {
  const writes = steps.filter(({ method }) => !isSafe(method)).length;
  return writes === 0
    ? []
    : [`${count(writes, 'request')} may write: the app of the build has nothing real to write to`];
}
