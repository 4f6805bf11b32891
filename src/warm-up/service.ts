import { type Probe, renderProbe } from './probe.ts';

/** What runs beside the app while it is warmed up, and is reached by its name. Plain data, part of the BuildPlan. */
export interface Service {
  /** Also the host name. */
  readonly name: string;
  readonly source: ServiceSource;
  /** Instead of the image's own. */
  readonly command?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** "uid", "uid:gid", or names. Absent: the image's own; root for a process. */
  readonly user?: string;
  readonly ports: readonly number[];
  readonly health: Probe;
  readonly timeoutMs: number;
}

export type ServiceSource =
  /** Of the engine or, where it has none of that name, of a registry. */
  | { readonly kind: 'image'; readonly reference: string }
  /** OCI image layout, absolute path on the build machine. */
  | { readonly kind: 'layout'; readonly dir: string }
  /** A program of the build machine. */
  | { readonly kind: 'process'; readonly argv: readonly string[] };

/** "the image postgres:16", "the process `postgres -D data`". */
export function renderSource(source: ServiceSource): string {
  switch (source.kind) {
    case 'image':
      return `the image ${source.reference}`;
    case 'layout':
      return `the image in ${source.dir}`;
    case 'process':
      return `the process \`${source.argv.join(' ')}\``;
  }
}

/** What is waited for: "a connection to port 5432". */
export function renderHealth({ source, health }: Pick<Service, 'source' | 'health'>): string {
  const isOutside = source.kind === 'process' && health.kind === 'command';
  return isOutside ? `\`${health.argv.join(' ')}\`` : renderProbe(health);
}
