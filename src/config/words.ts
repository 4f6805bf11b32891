/** The short forms that flags and crac-build.yaml share. Each parser gives undefined where the text is not of its form. */

/** "1000" or "1000:1000"; the group is the user's number where it is left out. */
export function parseUser(text: string): { readonly uid: number; readonly gid: number } | undefined {
  const match = /^(\d{1,9})(?::(\d{1,9}))?$/.exec(text);
  if (match === null) return undefined;
  return { uid: Number(match[1]), gid: Number(match[2] ?? match[1]) };
}

/** "jdk:PATH" → PATH. */
export function parseBase(text: string): string | undefined {
  return /^jdk:(.+)$/.exec(text)?.[1];
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

/** "[METHOD] /path": "GET /orders/{{id}}". */
export function parseStep(text: string): WarmUpWord | undefined {
  const match = /^(?:([A-Z]+)\s+)?((?:\/|\{\{).*\S|\/)$/.exec(text.trim());
  return match?.[2] === undefined || /\s/.test(match[2].replaceAll(/\{\{.*?\}\}/g, ''))
    ? undefined
    : { method: match[1] ?? 'GET', path: match[2] };
}
