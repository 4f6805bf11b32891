import type { AppSettings } from './app-settings.ts';
import { type Artifact, findArtifact } from './artifacts.ts';

export interface Endpoints {
  readonly port: { readonly value: number; readonly reason: string };
  /** The page that says whether the app is ready; absent where none is known. */
  readonly health?: {
    readonly path: string;
    readonly port: number;
    readonly reason: string;
    /** It speaks no TLS although the app does. */
    readonly isPlain?: boolean;
  };
  /** Why the app is thought to speak TLS. */
  readonly tls?: string;
  /** What the reader of a generated configuration should know. */
  readonly notes: readonly string[];
}

/** What there is to look at. */
export interface Look {
  readonly settings: AppSettings;
  readonly artifacts: readonly Artifact[];
  readonly entries: readonly string[];
}

export const DEFAULT_PORT = 8080;

export function unseenPort(title: string): Endpoints['port'] {
  return {
    value: DEFAULT_PORT,
    reason: `a guess: where ${title === 'plain Java' ? 'a plain Java app' : `an app with ${title}`} listens is not to be seen in the jar`,
  };
}

export function readPort({ settings }: Look, key: string, otherwise: number): Endpoints['port'] {
  const setting = settings(key);
  const value = Number(setting?.value);
  if (setting === undefined) return { value: otherwise, reason: `the default: ${key} is not set in the jar` };
  if (Number.isInteger(value) && value >= 1 && value <= 65_535) return { value, reason: `${key} in ${setting.from}` };
  const words = value === 0 ? 'a free port each time: give it one' : `${setting.value}, which is no port`;
  return { value: otherwise, reason: `a guess: ${key} in ${setting.from} is ${words}` };
}

export function firstOf(settings: AppSettings, keys: readonly string[]): string | undefined {
  for (const key of keys) {
    const setting = settings(key);
    if (setting !== undefined) return `${key} in ${setting.from}`;
  }
  return undefined;
}

export function has({ artifacts }: Look, name: string): boolean {
  return findArtifact(artifacts, name) !== undefined;
}

/** A library by its name, or a class of it where it was merged into the jar. */
export function find(
  { artifacts, entries }: Look,
  marks: readonly string[],
): { readonly evidence: string } | undefined {
  for (const mark of marks) {
    if (mark.endsWith('.class') && entries.includes(mark)) return { evidence: mark };
    const artifact = mark.endsWith('.class') ? undefined : findArtifact(artifacts, mark);
    if (artifact !== undefined) return artifact;
  }
  return undefined;
}

export function joinPath(...parts: readonly string[]): string {
  const segments = parts.flatMap((part) => part.split('/')).filter((segment) => segment !== '');
  return `/${segments.join('/')}`;
}
