import type { Settings } from '../config/settings.ts';
import { CracBuildError } from '../errors.ts';
import type { Readiness } from '../warm-up/probe.ts';
import type {
  Body,
  Capture,
  Expectation,
  Extent,
  Load,
  Scenario,
  Step,
  Until,
  WarmUpPlan,
} from '../warm-up/scenario.ts';
import { BUILT_IN_NAMES, findNames } from '../warm-up/template.ts';
import type { BuildPlan } from './build-plan.ts';
import { planTls } from './plan-readiness.ts';

type Given = NonNullable<Settings['warmUp']>;
type GivenRequest = NonNullable<Given['requests']>[number];
type GivenScenario = NonNullable<Given['scenarios']>[number];
type GivenStep = NonNullable<GivenScenario['steps']>[number];
type GivenBody = Pick<GivenStep, 'body' | 'bodyFile' | 'json' | 'form'>;

/** What waits until the app has settled goes on for so long at least, and stops then, whether or not it has. */
const MIN_DURATION_MS = 5000;
const MAX_DURATION_MS = 60_000;
const TIMEOUT_MS = 300_000;
/** What is long at will gets so much more time. */
const TIMEOUT_MARGIN_MS = 60_000;
/** May be sent as often as one likes, https://www.rfc-editor.org/rfc/rfc9110#section-9.2.1. */
const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'];

/** Without any scenario, a readiness path is what we know to work; an empty list means no warm-up. `port`: where a request names none; `ports`: all of the app. */
export function planWarmUp(
  { warmUp = {} }: Settings,
  readiness: Readiness | undefined,
  { port, ports }: { readonly port: number; readonly ports: readonly number[] },
  trigger: BuildPlan['checkpoint']['trigger'],
): WarmUpPlan {
  const isKnown = readiness?.kind === 'http' && trigger === 'build' && warmUp.scenarios === undefined;
  const known: readonly GivenRequest[] = isKnown
    ? [{ path: readiness.path, status: readiness.status, contains: readiness.contains }]
    : [];
  const requests = warmUp.requests ?? known;
  /** What is known is asked again as it was. */
  const isAskedAgain = isKnown && warmUp.requests === undefined;
  const tls = isAskedAgain ? readiness.tls && { tls: readiness.tls } : planTls(warmUp.tls);
  const scenarios = [
    ...requests.map((request, index) => planRequest(request, requests, index, port, warmUp.until)),
    ...(warmUp.scenarios ?? []).map((given, index) => planScenario(given, index, port, ports)),
  ];
  refuseEndless(scenarios, warmUp.until);
  const until = scenarios.some(({ load }) => load.kind === 'mixed') ? { until: planUntil(warmUp.until) } : {};
  const limits = planLimits(warmUp);
  return {
    scenarios,
    pace:
      warmUp.rate === undefined
        ? { kind: 'users', concurrency: warmUp.concurrency ?? 1 }
        : { kind: 'rate', perSecond: warmUp.rate },
    seed: warmUp.seed ?? 1,
    connection: { protocol: warmUp.protocol ?? 'http/1.1', ...tls },
    ...until,
    ...limits,
    timeoutMs:
      warmUp.timeout ?? Math.max(TIMEOUT_MS, longest(warmUp.until, limits.max.durationMs ?? 0) + TIMEOUT_MARGIN_MS),
  };
}

/** A time limit of all is none that what ends by itself should reach. */
function planLimits({ min, max, timeout }: Given): Pick<WarmUpPlan, 'min' | 'max'> {
  const maxMs = max?.duration ?? Math.max(min?.duration ?? 0, Math.min(MAX_DURATION_MS, (timeout ?? Infinity) * 0.8));
  const limits = {
    min: { ...planExtent(min), durationMs: min?.duration ?? Math.min(MIN_DURATION_MS, maxMs) },
    max: { ...planExtent(max), durationMs: Math.round(maxMs) },
  };
  for (const key of ['durationMs', 'requests'] as const) {
    if ((limits.min[key] ?? 0) <= (limits.max[key] ?? Infinity)) continue;
    const name = key === 'requests' ? 'requests' : 'duration';
    throw new CracBuildError('CONFIG_INVALID', `warmUp.min.${name} is more than warmUp.max.${name}`, {
      hint: 'A warm-up does not stop before min, and stops at max at the latest: give max at least what min has.',
    });
  }
  return limits;
}

function longest(until: Given['until'], maxMs: number): number {
  return typeof until === 'object' && 'duration' in until ? until.duration : maxMs;
}

/** `until` given, or nothing said of how often: a share of what is mixed. What changes something is not repeated at will. */
function isMixed({ method = 'GET', count, concurrency }: GivenRequest, until: Given['until']): boolean {
  return until !== undefined || (count === undefined && concurrency === undefined && SAFE_METHODS.includes(method));
}

/** Fixed counts, or shares. */
function planRequest(
  request: GivenRequest,
  all: readonly GivenRequest[],
  index: number,
  port: number,
  until: Given['until'],
): Scenario {
  refuseUnknownNames(request);
  const count = request.count ?? 100;
  const { contains } = request;
  const expect = { status: request.status ?? 200, ...(contains === undefined ? {} : { contains }), headers: {} };
  const step = planStep({ ...request, path: request.path }, expect, port);
  const title = ({ method = 'GET', path }: GivenRequest) => `${method} ${path}`;
  const isFirst = all.findIndex((other) => title(other) === title(request)) === index;
  const load: Load = isMixed(request, until)
    ? { kind: 'mixed', weight: until === undefined ? 1 : count }
    : { kind: 'fixed', count, concurrency: Math.min(request.concurrency ?? 1, count) };
  return { kind: 'http', name: isFirst ? title(request) : `${title(request)} (${index + 1})`, load, steps: [step] };
}

/** A config file is told with the line; this is for flags. */
function refuseUnknownNames({ method = 'GET', path }: GivenRequest): void {
  const unknown = findNames(path).find((name) => !BUILT_IN_NAMES.some((known) => known === name));
  if (unknown === undefined) return;
  throw new CracBuildError('CONFIG_INVALID', `nothing captures {{${unknown}}} for the request ${method} ${path}`, {
    hint: 'A request by itself has {{n}}, {{user}} and {{random}}; values of answers are captured in warmUp.scenarios.',
  });
}

function planScenario(given: GivenScenario, index: number, port: number, ports: readonly number[]): Scenario {
  const common = { name: given.name ?? `scenario ${index + 1}`, load: planLoad(given) };
  const { steps = [], script, command, javaClass, options = {} } = given;
  if (command !== undefined) return { kind: 'command', ...common, argv: command };
  if (javaClass !== undefined) return { kind: 'java', ...common, className: javaClass };
  if (script !== undefined) {
    const own = given.port ?? port;
    return { kind: 'script', ...common, path: script, port: own, ports: [...new Set([own, ...ports])], options };
  }
  return { kind: 'http', ...common, steps: steps.map((step) => planStep(step, planExpectation(step.expect), port)) };
}

/** Commands and classes are run once where nothing is said. */
function planLoad({ weight, command, javaClass, count, concurrency = 1 }: GivenScenario): Load {
  const times = count ?? ((command ?? javaClass) !== undefined && weight === undefined ? 1 : undefined);
  if (times === undefined) return { kind: 'mixed', weight: weight ?? 1 };
  return { kind: 'fixed', count: times, concurrency: Math.min(concurrency, times) };
}

/** Commands and classes send no requests that could be counted. */
function refuseEndless(scenarios: readonly Scenario[], until: Given['until']): void {
  if (typeof until !== 'object' || !('requests' in until)) return;
  const mixed = scenarios.filter(({ load }) => load.kind === 'mixed');
  if (mixed.length === 0 || mixed.some(({ kind }) => kind === 'http' || kind === 'script')) return;
  throw new CracBuildError('CONFIG_INVALID', 'warmUp.until waits for requests, and nothing that is mixed sends any', {
    hint: 'Commands and classes are not counted as requests: give them count in place of weight, or until a duration.',
  });
}

function planStep(given: GivenBody & Partial<GivenStep> & { path: string }, expect: Expectation, port: number): Step {
  const body = planBody(given);
  return {
    method: given.method ?? 'GET',
    port: given.port ?? port,
    path: given.path,
    headers: given.headers ?? {},
    ...(body === undefined ? {} : { body }),
    expect,
    capture: Object.fromEntries(Object.entries(given.capture ?? {}).map(([key, one]) => [key, planCapture(one)])),
    thinkMs: given.think ?? 0,
  };
}

function planBody({ body, bodyFile, json, form }: GivenBody): Body | undefined {
  if (body !== undefined) return { kind: 'text', text: body };
  if (bodyFile !== undefined) return { kind: 'file', path: bodyFile };
  if (json !== undefined) return { kind: 'json', value: json };
  if (form === undefined) return undefined;
  const fields = Object.entries(form).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : { file: value.file, type: value.type ?? 'application/octet-stream' },
  ]);
  const hasFile = fields.some(([, value]) => typeof value === 'object');
  return { kind: hasFile ? 'multipart' : 'form', fields: Object.fromEntries(fields) };
}

function planExpectation({ status, contains, headers, json }: NonNullable<GivenStep['expect']> = {}): Expectation {
  if (typeof json === 'string') throw new Error(`the JSON schema ${json} was not read`);
  return {
    status: status ?? 200,
    ...(contains === undefined ? {} : { contains }),
    headers: headers ?? {},
    ...(json === undefined ? {} : { json }),
  };
}

function planCapture({ json, header, regex }: NonNullable<GivenStep['capture']>[string]): Capture {
  if (json !== undefined) return { kind: 'json', path: json };
  if (header !== undefined) return { kind: 'header', name: header };
  return { kind: 'regex', pattern: regex ?? '' };
}

function planUntil(given: Given['until'] = 'settled'): Until {
  if (given === 'settled') return { kind: 'settled' };
  return 'requests' in given
    ? { kind: 'requests', count: given.requests }
    : { kind: 'duration', durationMs: given.duration };
}

function planExtent({ duration, requests }: NonNullable<Given['min']> = {}): Extent {
  return {
    ...(duration === undefined ? {} : { durationMs: duration }),
    ...(requests === undefined ? {} : { requests }),
  };
}
