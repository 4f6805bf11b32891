/** What went wrong, as a closed set: tests and callers match on these, people read `message` and `hint`. */
export type ErrorCode =
  | 'USAGE' // wrong flags
  | 'CONFIG_INVALID' // crac-build.yaml: unknown key, wrong type, missing file
  | 'INPUT_NOT_FOUND'
  | 'INPUT_INVALID' // not a jar, not a JDK, …
  | 'ENGINE_UNAVAILABLE'
  | 'ENGINE_FAILED' // a non-2xx answer, an error inside a stream, a failed runtime command
  | 'ENGINE_DENIED' // a capability or permission is missing
  | 'TOOLBOX_MISSING'
  | 'CRIU_UNSUITABLE' // too old, or `criu check` fails
  | 'JDK_TOOL_FAILED' // jlink, jdeps
  | 'APP_EXITED' // the app ended during start or warm-up
  | 'APP_NOT_READY' // readiness time limit
  | 'WARM_UP_FAILED' // unexpected status or broken connection
  | 'SERVICE_FAILED' // a backing service is missing, never healthy, or has ended
  | 'CHECKPOINT_REFUSED' // the app or the runtime inside it said no
  | 'CHECKPOINT_FAILED' // CRIU failed
  | 'STATE_REFUSED' // the dump holds a state that cannot be restored
  | 'IMAGE_INVALID'
  | 'REGISTRY_FAILED' // no connection, an answer that is none, an error that retries did not overcome
  | 'REGISTRY_DENIED' // not logged in, or not allowed
  | 'PUBLISH_FAILED'
  | 'SIGN_FAILED' // no usable key, or what signs has failed
  | 'SIGNATURE_INVALID' // an image has no good signature
  | 'ATTESTATION_INVALID' // an SBOM or provenance is missing, or is of another image
  | 'VERIFY_FAILED'
  | 'NO_SPACE'
  | 'INTERRUPTED';

export interface ErrorFacts {
  /** What to do about it, one sentence. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** Further lines: the end of the app's or CRIU's log, the list of refusals. */
  readonly details?: readonly string[];
}

/** Every failure we expect. Anything else that is thrown is a bug. */
export class CracBuildError extends Error {
  override readonly name = 'CracBuildError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: readonly string[];

  constructor(code: ErrorCode, message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.hint = facts.hint;
    this.details = facts.details ?? [];
  }
}

export function isCracBuildError(error: unknown, code?: ErrorCode): error is CracBuildError {
  return error instanceof CracBuildError && (code === undefined || error.code === code);
}

/** What failed first: where a disposal fails as well, `await using` wraps both into a SuppressedError, which Node 20 does not have. */
export function findFirstError(error: unknown): unknown {
  let first = error;
  while (first instanceof Error && first.name === 'SuppressedError' && 'suppressed' in first) first = first.suppressed;
  return first;
}
