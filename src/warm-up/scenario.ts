/** What is sent to the app while it is warmed up. Plain data, part of the BuildPlan; texts may hold {{name}}, see template.ts. */

/** A kind of its own for whatever is no list of HTTP requests. */
export type Scenario = HttpScenario | ScriptScenario | CommandScenario | JavaScenario;

/** What one user does, step after step, with cookies and captured values of its own. */
export interface HttpScenario {
  readonly kind: 'http';
  /** Unlike every other's. */
  readonly name: string;
  readonly load: Load;
  readonly steps: readonly Step[];
}

/** A module of JavaScript or TypeScript that is called, see script-api.ts. */
export interface ScriptScenario {
  readonly kind: 'script';
  readonly name: string;
  readonly load: Load;
  /** Absolute, on the build machine. */
  readonly path: string;
  /** What its requests go to where they do not say. */
  readonly port: number;
  /** All that they may go to. */
  readonly ports: readonly number[];
  readonly options: Readonly<Record<string, unknown>>;
}

/** Run in the build container as the app's user; not when the image is verified. */
export interface CommandScenario {
  readonly kind: 'command';
  readonly name: string;
  readonly load: Load;
  readonly argv: readonly string[];
}

/** Called in the app's own JVM; not when the image is verified. */
export interface JavaScenario {
  readonly kind: 'java';
  readonly name: string;
  readonly load: Load;
  /** "com.example.Warm": its `main`, or its `run` as a Runnable. */
  readonly className: string;
}

/** `fixed`: so often, before all that is mixed, and one scenario after the other. `mixed`: its share among those that are. */
export type Load =
  | { readonly kind: 'fixed'; readonly count: number; readonly concurrency: number }
  | { readonly kind: 'mixed'; readonly weight: number };

export interface Step {
  readonly method: string;
  readonly port: number;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Body;
  readonly expect: Expectation;
  /** By the name that later steps use. */
  readonly capture: Readonly<Record<string, Capture>>;
  /** After the answer, before the next step. */
  readonly thinkMs: number;
}

export type Body =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'form'; readonly fields: Readonly<Record<string, string>> }
  | { readonly kind: 'multipart'; readonly fields: Readonly<Record<string, string | FormFile>> }
  /** Absolute path on the build machine; sent as it is. */
  | { readonly kind: 'file'; readonly path: string };

export interface FormFile {
  /** Absolute path on the build machine. */
  readonly file: string;
  /** Media type. */
  readonly type: string;
}

export interface Expectation {
  readonly status: number;
  /** Text that the answer has. */
  readonly contains?: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON Schema that the answer fits. */
  readonly json?: JsonSchema;
}

export type JsonSchema = Readonly<Record<string, unknown>>;

export type Capture =
  /** RFC 9535; the first value that it finds. */
  | { readonly kind: 'json'; readonly path: string }
  | { readonly kind: 'header'; readonly name: string }
  /** Its first group, or all of it where it has none. */
  | { readonly kind: 'regex'; readonly pattern: string; readonly flags?: string };

/** `users`: so many at once, each beginning anew when it is through. `rate`: so many begin each second, however long they take. */
export type Pace =
  | { readonly kind: 'users'; readonly concurrency: number }
  | { readonly kind: 'rate'; readonly perSecond: number };

export interface Connection {
  readonly protocol: 'http/1.1' | 'h2';
  /** Absent: without TLS. */
  readonly tls?: Tls;
}

export interface Tls {
  /** PEM file, absolute path on the build machine; absent: the authorities that Node.js trusts. */
  readonly ca?: string;
  /** Whom the certificate is to name; absent: the address that is connected to. */
  readonly serverName?: string;
  /** Takes every certificate. */
  readonly insecure: boolean;
}

/** When the mixed scenarios have run for long enough. */
export type Until =
  | { readonly kind: 'settled' }
  | { readonly kind: 'requests'; readonly count: number }
  | { readonly kind: 'duration'; readonly durationMs: number };

export interface Extent {
  readonly durationMs?: number;
  readonly requests?: number;
}

export interface WarmUpPlan {
  readonly scenarios: readonly Scenario[];
  /** Of the mixed scenarios. */
  readonly pace: Pace;
  /** The same seed gives the same sequence. */
  readonly seed: number;
  readonly connection: Connection;
  /** Absent where nothing is mixed. */
  readonly until?: Until;
  /** `settled` does not stop before `min`, and stops at `max` at the latest. */
  readonly min: Extent;
  readonly max: Extent;
  /** Of all of it: what takes longer has failed. */
  readonly timeoutMs: number;
}

export function listPorts(scenarios: readonly Scenario[]): readonly number[] {
  const ports = scenarios.flatMap((scenario) => {
    if (scenario.kind === 'http') return scenario.steps.map(({ port }) => port);
    return scenario.kind === 'script' ? scenario.ports : [];
  });
  return [...new Set(ports)];
}

/** Of requests that are known beforehand: a script says only when it runs what it asks. */
export function listSteps(scenarios: readonly Scenario[]): readonly Step[] {
  return scenarios.flatMap((scenario) => (scenario.kind === 'http' ? scenario.steps : []));
}

/** "GET /orders/{{id}}": one for all values. */
export function nameEndpoint({ method, path }: Pick<Step, 'method' | 'path'>): string {
  return `${method} ${path}`;
}
