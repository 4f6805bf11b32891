import { CracBuildError, isCracBuildError } from '../errors.ts';

/** An error for people: what happened, the last lines that belong to it, what to do. No stack for what we expect; anything else is a bug. */
export function renderError(error: unknown): string {
  const known = recogniseError(error);
  if (known !== undefined) {
    const details = known.details.map((line) => `${`  | ${line}`.trimEnd()}\n`).join('');
    const hint = known.hint === undefined ? '' : `hint: ${known.hint}\n`;
    return `error: ${known.message}\n${details}${hint}`;
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `error: this is a bug in crac-build\n${stack
    .split('\n')
    .map((line) => `  | ${line}\n`)
    .join('')}hint: Please report it with the lines above and the command that was run.\n`;
}

/** The same as one JSON object's `error`. */
export function errorToJson(error: unknown): object {
  const known = recogniseError(error);
  if (known === undefined) {
    return { code: 'BUG', message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  const { code, message, hint, details } = known;
  return { code, message, ...(hint === undefined ? {} : { hint }), details };
}

/** A full disk can show itself anywhere, and is never a bug. */
function recogniseError(error: unknown): CracBuildError | undefined {
  if (isCracBuildError(error)) return error;
  const { code, path } = (error ?? {}) as { code?: unknown; path?: unknown };
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return undefined;
  return new CracBuildError('NO_SPACE', `there is no space left${typeof path === 'string' ? ` for ${path}` : ''}`, {
    hint: 'Free some, or set TMPDIR and XDG_CACHE_HOME to folders on a larger disk.',
    cause: error,
  });
}

/** 2: wrong usage or config; 1: anything else that failed. */
export function exitCodeOf(error: unknown): 1 | 2 {
  return isCracBuildError(error, 'USAGE') || isCracBuildError(error, 'CONFIG_INVALID') ? 2 : 1;
}
