import type { Engine } from './engine/engine.ts';
import type { Report } from './report/event.ts';

/** What a stage may touch besides its arguments. */
export interface World {
  readonly engine: Engine;
  readonly report: Report;
  readonly signal: AbortSignal;
  /** This program's own: where registries' credentials, certificates and proxies are looked up. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** A private folder for this run, removed when it ends. */
  readonly workDir: string;
  /** Kept between runs, safe to delete: bases by digest, the toolbox. */
  readonly cacheDir: string;
  /** Where our own native parts lie: `restore`, `ctl`, `launch`, `forward`, `libcrac.so`, `crac.jar`. */
  readonly nativeDir: string;
  readonly toolbox: Toolbox;
  /** Absent: nothing is signed. */
  readonly signer?: Signer;
}

/** What signs. */
export interface Signer {
  /** ECDSA on P-256: DER, of the SHA-256 of `data`. Ed25519: of `data` itself. */
  readonly sign: (data: Buffer) => Promise<Buffer>;
}

/** A relocatable CRIU: a folder that is copied into the build container as it is. */
export interface Toolbox {
  readonly dir: string;
  /** Command line relative to `dir`, to be prefixed with the folder's place in the container, e.g. `lib/ld.so --library-path DIR/lib DIR/criu`; `{}` stands for the folder. */
  readonly criuCommand: readonly string[];
  readonly criuVersion: string;
}
