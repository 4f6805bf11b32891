import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { digestOf } from '../oci/blob-store.ts';
import type { Layer, OciImage } from '../oci/image.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import type { World } from '../world.ts';

/** "sha256:…" each. */
export interface InputDigests {
  /** Of the jar. */
  readonly app: string;
  /** Of what the base unpacks to, and the same of the runtime, which is all that crac-build puts in. */
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
    app: await hashFile(plan.app.jar),
    base: digestLayers(layers, 'base'),
    runtime: digestLayers(layers, 'runtime'),
    config: digestConfig(plan),
    toolbox: await hashFolder(toolbox.dir),
  };
}

/** The layer's `diff_id`; where there are several, the digest of theirs, one a line. */
function digestLayers(layers: readonly Layer[], kind: Layer['kind']): string {
  const [first = 'none', ...more] = layers.filter((layer) => layer.kind === kind).map(({ diffId }) => diffId);
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
]);
/** Their values are paths on the build machine; what is in those files is not looked at. */
const PATHS: ReadonlySet<string> = new Set(['jar', 'policies', 'file', 'ca', 'dir']);
/** Those of the same whose `path` is one, too: elsewhere that is part of a URL. */
const WITH_PATH: ReadonlySet<unknown> = new Set(['script', 'file']);

export function digestConfig(plan: BuildPlan): string {
  const chosen = Object.entries(plan).filter(([key]) => !NOT_INPUT.has(key));
  const base = { ...plan.base, path: undefined };
  const image = { ...plan.image, annotations: undefined, createdSeconds: undefined };
  const whole = { ...Object.fromEntries(chosen), base, image };
  return digestOf(JSON.stringify(whole, withoutFolder));
}

/** For JSON.stringify(), which calls it as a method of the object that `key` is in. */
function withoutFolder(this: Readonly<Record<string, unknown>>, key: string, value: unknown): unknown {
  const isPath = PATHS.has(key) || (key === 'path' && WITH_PATH.has(this['kind']));
  return isPath && typeof value === 'string' ? basename(value) : value;
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return `sha256:${hash.digest('hex')}`;
}

async function hashFolder(dir: string): Promise<string> {
  const files = (await readdir(dir, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).sort();
  const lines: string[] = [];
  for (const path of paths) lines.push(`${relative(dir, path)} ${await hashFile(path)}`);
  return digestOf(lines.join('\n'));
}
