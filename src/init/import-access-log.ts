import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { CracBuildError } from '../errors.ts';
import { type LoggedRequest, parseLogLine } from './access-log-line.ts';
import { foldPath } from './fold-path.ts';
import { count, type Imported, type ImportedScenario, isSafe, wholeStatus } from './imported.ts';
import { statImported } from './read-text.ts';
import { maskPath, PLACEHOLDER } from './secrets.ts';
import { isStaticAsset } from './static-assets.ts';

export interface AccessLogOptions {
  /** How many of the most frequent requests become scenarios. */
  readonly top: number;
  readonly includeWrites: boolean;
  readonly keepAssets: boolean;
}

/** Requests that run the same code: one method, one folded path. */
interface Group {
  readonly method: string;
  readonly folded: string;
  amount: number;
  readonly paths: Map<string, number>;
  readonly statuses: Map<number, number>;
}

/** Of one group; a log of a month has millions. */
const MAX_PATHS = 1000;
const FLAG = '--from-access-log';
const PROBE_AGENT = /^(?:kube-probe|ELB-HealthChecker|GoogleHC|Prometheus|Consul Health|Amazon-Route53|UptimeRobot)/;
const PROBE_PATH =
  /\/(?:healthz?|livez|readyz|metrics|prometheus|actuator\/(?:health|prometheus|info|metrics)\b.*|q\/(?:health|metrics)\b.*|ping)$/;

/** The most frequent requests of a log (also gzipped) → a scenario each, weighted by how often each was made. */
export async function importAccessLog(path: string, options: AccessLogOptions): Promise<Imported> {
  const { groups, tally } = await readGroups(path, options);
  const ranked = [...groups.values()].sort((a, b) => b.amount - a.amount || a.folded.localeCompare(b.folded));
  const top = ranked.slice(0, options.top);
  const total = top.reduce((sum, { amount }) => sum + amount, 0);
  const notes = [...tally].map(([reason, amount]) => `${count(amount, 'line')} left out: ${reason}`);
  if (top.length === 0) {
    throw new CracBuildError('INPUT_INVALID', `${path}: no request is left to warm up with`, {
      hint: 'Give a log with answered GETs, or let more in: --include-writes, --include-assets.',
      details: notes,
    });
  }
  const rest = ranked.slice(options.top).reduce((sum, { amount }) => sum + amount, 0);
  return {
    source: `access log ${basename(path)}`,
    scenarios: top.map((group) => composeScenario(group, total)),
    notes: rest === 0 ? notes : [...notes, `${count(rest, 'line')} left out: less frequent (--top ${options.top})`],
  };
}

async function readGroups(path: string, options: AccessLogOptions) {
  await statImported(path, FLAG);
  const groups = new Map<string, Group>();
  const tally = new Map<string, number>();
  let lineNumber = 0;
  let understood = 0;
  let firstStrange: { readonly lineNumber: number; readonly line: string } | undefined;
  for await (const line of readLines(path)) {
    lineNumber++;
    if (line.trim() === '' || line.startsWith('#')) continue;
    const request = parseLogLine(line);
    if (request === undefined) firstStrange ??= { lineNumber, line };
    else understood++;
    const reason = request === undefined ? 'not in the common or combined format' : whyLeftOut(request, options);
    if (reason !== undefined) tally.set(reason, (tally.get(reason) ?? 0) + 1);
    else if (request !== undefined) addTo(groups, request);
  }
  if (understood === 0) throw notUnderstood(path, firstStrange);
  return { groups, tally };
}

async function* readLines(path: string): AsyncGenerator<string> {
  const text = new PassThrough();
  const stages = /\.gz$/i.test(path) ? [createReadStream(path), createGunzip(), text] : [createReadStream(path), text];
  const flowing = pipeline(stages);
  flowing.catch(() => {});
  try {
    yield* createInterface({ input: text, crlfDelay: Number.POSITIVE_INFINITY });
    await flowing;
  } catch (cause) {
    throw new CracBuildError('INPUT_INVALID', `${path} cannot be read to its end: ${(cause as Error).message}`, {
      hint: `Give ${FLAG} a whole file.`,
      cause,
    });
  }
}

function notUnderstood(path: string, strange: { readonly lineNumber: number; readonly line: string } | undefined) {
  const hint = 'Expected lines such as: 127.0.0.1 - - [31/Jan/2026:12:00:00 +0000] "GET /orders HTTP/1.1" 200 512';
  if (strange === undefined) return new CracBuildError('INPUT_INVALID', `${path} has no line with a request`, { hint });
  const { lineNumber, line } = strange;
  const shown = line.length > 120 ? `${line.slice(0, 120)}…` : line;
  return new CracBuildError('INPUT_INVALID', `${path}:${lineNumber}: not a line of the common or combined log format`, {
    hint,
    details: [shown],
  });
}

function whyLeftOut(
  { method, path, status, userAgent }: LoggedRequest,
  { includeWrites, keepAssets }: AccessLogOptions,
): string | undefined {
  if (method === 'OPTIONS' || method === 'CONNECT' || method === 'TRACE' || !path.startsWith('/'))
    return 'no request to a page';
  if (!includeWrites && !isSafe(method)) return `${method}, which may write (--include-writes keeps it)`;
  if (status >= 400 || status < 200) return 'not answered with 2xx or 3xx';
  if (PROBE_AGENT.test(userAgent) || PROBE_PATH.test(path.replace(/\?.*$/, ''))) return 'health checks and metrics';
  if (!keepAssets && isStaticAsset(path)) return 'static files (--include-assets keeps them)';
  if (maskPath(path) === undefined) return 'a secret is in the path';
  return undefined;
}

function addTo(groups: Map<string, Group>, { method, path, status }: LoggedRequest): void {
  const folded = foldPath(path);
  const key = `${method} ${folded}`;
  const group = groups.get(key) ?? { method, folded, amount: 0, paths: new Map(), statuses: new Map() };
  groups.set(key, group);
  group.amount++;
  if (group.paths.has(path) || group.paths.size < MAX_PATHS) group.paths.set(path, (group.paths.get(path) ?? 0) + 1);
  group.statuses.set(status, (group.statuses.get(status) ?? 0) + 1);
}

function composeScenario({ method, folded, amount, paths, statuses }: Group, total: number): ImportedScenario {
  const masked = maskPath(mostFrequent(paths)) ?? { path: folded, masked: [] };
  const status = wholeStatus(mostFrequent(statuses));
  const share = (100 * amount) / total;
  return {
    name: `${method} ${folded}`,
    weight: Math.max(1, Math.round(share)),
    steps: [{ method, path: masked.path, ...(status === 200 ? {} : { status }), comments: [] }],
    comments: [
      `${count(amount, 'request')}${paths.size > 1 ? `, ${paths.size === MAX_PATHS ? `${MAX_PATHS} or more` : paths.size} different paths; this one was the most frequent` : ''}`,
      ...masked.masked.map((name) => `${name} was a secret: replace ${PLACEHOLDER} by a synthetic one`),
      ...(isSafe(method) ? [] : ['a log has no bodies: add body, json or form']),
    ],
  };
}

function mostFrequent<T>(amounts: ReadonlyMap<T, number>): T {
  return [...amounts].reduce((best, next) => (next[1] > best[1] ? next : best))[0];
}
