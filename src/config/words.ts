import type { ImageAddress } from '../base/obtain-image.ts';

/** The short forms that flags and crac-build.yaml share. Each parser gives undefined where the text is not of its form. */
import { parseDuration } from './duration.ts';

/** "1000" or "1000:1000"; the group is the user's number where it is left out. */
export function parseUser(text: string): { readonly uid: number; readonly gid: number } | undefined {
  const match = /^(\d{1,9})(?::(\d{1,9}))?$/.exec(text);
  if (match === null) return undefined;
  return { uid: Number(match[1]), gid: Number(match[2] ?? match[1]) };
}

export type BaseWord = { readonly kind: 'jdk'; readonly path: string } | ImageAddress;

export const BASE_WORDS =
  '"jdk:PATH", "oci:DIR[:NAME]", "docker-archive:FILE", "docker:REFERENCE", "registry:REFERENCE" or "HOST/NAME:TAG"';
export const IMAGE_WORDS = BASE_WORDS.replace('"jdk:PATH", ', '');

export function parseBase(text: string): BaseWord | undefined {
  const path = /^jdk:(.+)$/.exec(text)?.[1];
  return path === undefined ? parseImage(text) : { kind: 'jdk', path };
}

/** A reference without a word before it begins with a host: with a dot, a port, or `localhost`. */
export function parseImage(text: string): ImageAddress | undefined {
  const [, kind, rest = ''] = /^(oci|docker-archive|docker|registry):(.+)$/.exec(text) ?? [];
  if (kind === 'docker' || kind === 'registry') return { kind, reference: rest };
  if (kind === 'docker-archive') return { kind, file: rest };
  if (kind === 'oci') {
    const named = /^(.+):([\w][\w.-]{0,127})$/.exec(rest);
    return named?.[1] === undefined ? { kind, dir: rest } : { kind, dir: named[1], name: named[2] ?? '' };
  }
  const isReference = /^(?:localhost|[a-z0-9-]+(?:\.[a-z0-9-]+)+|[a-z0-9.-]+(?=:\d))(?::\d+)?\/[^\s]+$/i.test(text);
  return isReference ? { kind: 'registry', reference: text } : undefined;
}

/** As it would be written. */
export function renderImageWord(word: ImageAddress): string {
  switch (word.kind) {
    case 'oci':
      return `oci:${word.dir}${word.name === undefined ? '' : `:${word.name}`}`;
    case 'docker-archive':
      return `docker-archive:${word.file}`;
    default:
      return `${word.kind}:${word.reference}`;
  }
}

/** "HOST" or "HOST:PORT". */
export function parseHost(text: string): string | undefined {
  return /^[A-Za-z0-9.-]+(?::\d{1,5})?$/.test(text) ? text : undefined;
}

export type SignKeyWord =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'environment'; readonly variable: string }
  | { readonly kind: 'command'; readonly argv: readonly string[] };

/** "env://VARIABLE", "command:PROGRAM ARGUMENT…" (no shell), else a file. */
export function parseSignKey(text: string): SignKeyWord | undefined {
  const variable = /^env:\/\/([A-Za-z_][A-Za-z0-9_]*)$/.exec(text)?.[1];
  if (variable !== undefined) return { kind: 'environment', variable };
  const argv = /^command:(.*)$/.exec(text)?.[1]?.trim().split(/\s+/);
  if (argv !== undefined) return argv[0] === '' ? undefined : { kind: 'command', argv };
  return /^\w+:\/\//.test(text) || text === '' ? undefined : { kind: 'file', path: text };
}

export interface WarmUpWord {
  readonly method: string;
  readonly path: string;
  readonly count?: number;
}

/** "[METHOD] /path [xCOUNT]": "GET /orders?limit=5 x200". */
export function parseWarmUpRequest(text: string): WarmUpWord | undefined {
  const match = /^(?:([A-Z]+)\s+)?(\/\S*)(?:\s+x(\d{1,9}))?$/.exec(text.trim());
  if (match?.[2] === undefined) return undefined;
  const count = match[3] === undefined ? {} : { count: Number(match[3]) };
  return { method: match[1] ?? 'GET', path: match[2], ...count };
}

export type ExtentWord = { readonly duration: number } | { readonly requests: number };

/** How long a warm-up goes on: "30s", or "x1000" requests. */
export function parseExtent(text: string): ExtentWord | undefined {
  const count = /^x([1-9]\d{0,8})$/.exec(text)?.[1];
  if (count !== undefined) return { requests: Number(count) };
  const duration = parseDuration(text);
  return duration === undefined ? undefined : { duration };
}

/** "settled", "30s" or "x1000". */
export function parseUntil(text: string): 'settled' | ExtentWord | undefined {
  return text === 'settled' ? text : parseExtent(text);
}

/** "[METHOD] /path": "GET /orders/{{id}}". */
export function parseStep(text: string): WarmUpWord | undefined {
  const match = /^(?:([A-Z]+)\s+)?((?:\/|\{\{).*\S|\/)$/.exec(text.trim());
  return match?.[2] === undefined || /\s/.test(match[2].replaceAll(/\{\{.*?\}\}/g, ''))
    ? undefined
    : { method: match[1] ?? 'GET', path: match[2] };
}
