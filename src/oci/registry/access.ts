import type { Patience } from './retry.ts';

/** What a registry is asked with. */
export interface RegistryAccess {
  /** Where credentials, certificates and proxies are looked up; this program's own. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** "HOST" or "HOST:PORT" whose certificate is not checked, or which may speak plain HTTP. Loopback hosts always may. */
  readonly insecureHosts: readonly string[];
  readonly signal: AbortSignal;
  /** DEFAULT_PATIENCE where it is left out. */
  readonly patience?: Patience;
}
