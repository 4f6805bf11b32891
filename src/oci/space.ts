import { CracBuildError } from '../errors.ts';

/** Errors of a full disk become NO_SPACE; all others stay as they are. `what` completes "no space left while …". */
export function explainNoSpace(error: unknown, what: string): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return new CracBuildError('NO_SPACE', `no space left while ${what}`, {
    hint: 'Free some space, or point TMPDIR, XDG_CACHE_HOME or the output at a larger disk.',
    cause: error,
  });
}
