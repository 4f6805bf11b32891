import { basename } from 'node:path';
import { digestOf } from '../oci/blob-store.ts';
import type { Layer, OciImage } from '../oci/image.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import type { World } from '../world.ts';
import { hashFolder } from './hash-folder.ts';

/** "sha256:…" each. */
export interface InputDigests {
  /** Of what the app's layers unpack to; "none" where it is in the base. */
  readonly app: string;
  /** The same of the base, and of the runtime, which is all that crac-build puts in. */
  readonly base: string;
  readonly runtime: string;
  /** Of the plan, as it is on any machine. */
  readonly config: string;
  /** Of names and content of all files. */
  readonly toolbox: string;
}

export async function readInputDigests(
  plan: BuildPlan,
  { layers }: OciImage,
  { toolbox }: Pick<World, 'toolbox'>,
): Promise<InputDigests> {
  return {
    app: digestLayers(layers, ['dependencies', 'app']),
    base: digestLayers(layers, ['base']),
    runtime: digestLayers(layers, ['runtime']),
    config: digestConfig(plan),
    toolbox: await hashFolder(toolbox.dir),
  };
}

/** The layer's `diff_id`; where there are several, the digest of theirs, one a line. */
function digestLayers(layers: readonly Layer[], kinds: readonly Layer['kind'][]): string {
  const [first = 'none', ...more] = layers.filter(({ kind }) => kinds.includes(kind)).map(({ diffId }) => diffId);
  return more.length === 0 ? first : digestOf([first, ...more].join('\n'));
}

/** What decides where the image goes or who runs it, not what it is. */
const NOT_INPUT: ReadonlySet<string> = new Set<keyof BuildPlan>([
  'outputs',
  'engine',
  'network',
  'verify',
  'attestations',
  'insecureRegistries',
  'cache',
]);
/** What is told by its names alone: the values may be secrets that could be guessed from a digest. */
const SECRET: ReadonlySet<string> = new Set(['environment', 'headers', 'buildArguments']);
/** Their values are paths on the build machine; what is in those files is not looked at. */
const PATHS: ReadonlySet<string> = new Set(['policies', 'file', 'context', 'ca', 'dir']);
/** Those of the same whose `path` is one, too: elsewhere that is part of a URL. */
const WITH_PATH: ReadonlySet<unknown> = new Set(['script', 'file']);

export function digestConfig(plan: BuildPlan): string {
  const chosen = Object.entries(plan).filter(([key]) => !NOT_INPUT.has(key));
  const base = { ...plan.base, path: undefined, source: undefined };
  const { source, ...app } = plan.app;
  const { start, layers = [] } = source ?? {};
  const made = { ...app, start, layers: layers.map(({ name, parts }) => ({ name, to: parts.map(({ to }) => to) })) };
  const image = { ...plan.image, annotations: undefined, createdSeconds: undefined };
  const whole = { ...Object.fromEntries(chosen), app: made, base, image };
  return digestOf(JSON.stringify(whole, withoutFolder));
}

/** For JSON.stringify(), which calls it as a method of the object that `key` is in. */
function withoutFolder(this: Readonly<Record<string, unknown>>, key: string, value: unknown): unknown {
  if (key === 'timeoutMs') return undefined; // how long something may take decides nothing of the image
  if (SECRET.has(key) && typeof value === 'object' && value !== null) return Object.keys(value).toSorted();
  const isPath = PATHS.has(key) || (key === 'path' && WITH_PATH.has(this['kind']));
  return isPath && typeof value === 'string' ? basename(value) : value;
}
