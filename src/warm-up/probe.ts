import type { Tls } from './scenario.ts';

/** How one sees that the app is there. */
export type Probe = HttpProbe | TcpProbe | LogProbe | CommandProbe;

/** GET over HTTP/1.1. */
export interface HttpProbe {
  readonly kind: 'http';
  readonly port: number;
  readonly path: string;
  readonly status: number;
  /** Text that the answer has. */
  readonly contains?: string;
  readonly tls?: Tls;
}

/** A connection is accepted, and not closed at once. */
export interface TcpProbe {
  readonly kind: 'tcp';
  readonly port: number;
}

/** A line of the app's output matches. */
export interface LogProbe {
  readonly kind: 'log';
  readonly pattern: string;
}

/** Ends with exit code 0 inside the container, run as the app's user. */
export interface CommandProbe {
  readonly kind: 'command';
  readonly argv: readonly string[];
}

export type Readiness = Probe & { readonly timeoutMs: number };

/** What a restored app can be asked as well as one that starts: it does not print its first lines again. */
export type AnswerProbe = Exclude<Probe, LogProbe>;

export function probePorts(probe: Probe | undefined): readonly number[] {
  return probe?.kind === 'http' || probe?.kind === 'tcp' ? [probe.port] : [];
}

/** What is waited for: "GET :8080/health", "a connection to port 8080". */
export function renderProbe(probe: Probe): string {
  switch (probe.kind) {
    case 'http':
      return `GET ${probe.tls === undefined ? '' : 'https://'}:${probe.port}${probe.path}`;
    case 'tcp':
      return `a connection to port ${probe.port}`;
    case 'log':
      return `a line that matches /${probe.pattern}/`;
    case 'command':
      return `\`${probe.argv.join(' ')}\` in the container`;
  }
}

/** What it is to do, after "was to": "answer 200". */
export function renderExpected(probe: Probe): string {
  switch (probe.kind) {
    case 'http':
      return `answer ${probe.status}${probe.contains === undefined ? '' : ` with ${JSON.stringify(probe.contains)}`}`;
    case 'tcp':
      return 'be accepted';
    case 'log':
      return 'be printed';
    case 'command':
      return 'end with exit code 0';
  }
}

/** What an image does that is there, after "did not": "answer GET :8080/health with 200". */
export function renderDeed(probe: AnswerProbe): string {
  switch (probe.kind) {
    case 'http':
      return `answer ${renderProbe(probe)} with ${probe.status}${probe.contains === undefined ? '' : ` and ${JSON.stringify(probe.contains)}`}`;
    case 'tcp':
      return `accept ${renderProbe(probe)}`;
    case 'command':
      return `make ${renderProbe(probe)} succeed`;
  }
}
