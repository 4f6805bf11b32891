import type { Settings } from '../config/settings.ts';
import type { AnswerProbe, Readiness } from '../warm-up/probe.ts';
import type { Scenario, Step, Tls, WarmUpPlan } from '../warm-up/scenario.ts';
import { findNames } from '../warm-up/template.ts';

export function planReadiness({ app, readiness = {}, warmUp = {} }: Settings): Readiness {
  const { tcp, log, command, timeout: timeoutMs = 60_000 } = readiness;
  if (tcp !== undefined) return { kind: 'tcp', port: tcp, timeoutMs };
  if (log !== undefined) return { kind: 'log', pattern: log, timeoutMs };
  if (command !== undefined) return { kind: 'command', argv: command, timeoutMs };
  return {
    kind: 'http',
    port: readiness.port ?? app?.ports?.[0] ?? 8080,
    path: readiness.path ?? '/',
    status: readiness.status ?? 200,
    ...(readiness.contains === undefined ? {} : { contains: readiness.contains }),
    ...planTls(readiness.tls ?? warmUp.tls),
    timeoutMs,
  };
}

export function planTls(given: NonNullable<Settings['warmUp']>['tls']): { readonly tls?: Tls } {
  if (given === undefined || given === false) return {};
  const { ca, serverName, insecure = false } = given === true ? {} : given;
  return {
    tls: { ...(ca === undefined ? {} : { ca }), ...(serverName === undefined ? {} : { serverName }), insecure },
  };
}

/**
 * A path is asked again. Whatever else makes an app ready says little of a restored one, whose ports are open before it
 * runs: there the first GET of the warm-up that needs nothing captured is sent, and the readiness itself only where there is
 * none. A log line is not printed again: a connection to the first port stands for it.
 */
export function planAnswer(
  readiness: Readiness,
  { scenarios, connection }: WarmUpPlan,
  ports: readonly number[],
): AnswerProbe | undefined {
  const { timeoutMs: _, ...probe } = readiness;
  if (probe.kind === 'http') return probe;
  const step = connection.protocol === 'h2' ? undefined : findPlainGet(scenarios);
  if (step !== undefined) {
    const { port, path, expect } = step;
    return { kind: 'http', port, path, status: expect.status, ...(connection.tls && { tls: connection.tls }) };
  }
  if (probe.kind !== 'log') return probe;
  return ports[0] === undefined ? undefined : { kind: 'tcp', port: ports[0] };
}

const SAFE = ['GET', 'HEAD', 'OPTIONS'];

/**
 * A first step, so that it stands for itself; headers would be needed, and a probe sends none. What comes behind a scenario
 * that begins by changing something may need that, which a cold start has not seen.
 */
function findPlainGet(scenarios: readonly Scenario[]): Step | undefined {
  const isSafe = (scenario: Scenario) => scenario.kind === 'http' && SAFE.includes(scenario.steps[0]?.method ?? '');
  const changing = scenarios.findIndex((scenario) => !isSafe(scenario));
  return scenarios
    .slice(0, changing < 0 ? undefined : changing)
    .map((scenario) => (scenario.kind === 'http' ? scenario.steps[0] : undefined))
    .find(
      (step) => step?.method === 'GET' && Object.keys(step.headers).length === 0 && findNames(step.path).length === 0,
    );
}
