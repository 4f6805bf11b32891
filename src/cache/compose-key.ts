import { createHash } from 'node:crypto';
import type { BuildPlan } from '../plan/build-plan.ts';
import { FIXED_MTIME_SECONDS } from '../tar/entry.ts';

/** What a checkpoint depends on and the plan does not say. */
export interface KeyFacts {
  /** crac-build: its program and native parts, by digest. */
  readonly builder: Readonly<Record<string, string>>;
  /** Of base, app and runtime layer: with them the JDK, the app, the agent, the policies. */
  readonly diffIds: readonly string[];
  readonly criu: Readonly<Record<string, string>>;
  /** With its version. */
  readonly engine: string;
  readonly machine: {
    readonly kernel: string;
    readonly cpuFeatures: readonly string[];
    readonly cpus: number;
    readonly memoryMb: number;
  };
  /** Files of the build machine that the plan names: their digests, by the words that stand for them in the plan. */
  readonly files: Readonly<Record<string, string>>;
}

/** For people: `crac-build plan` prints them. */
export const CACHE_KEY_PARTS = [
  'the layers base, dependencies, app and runtime, and the base’s configuration: JDK, modules, jars, policies, crac-build’s parts',
  'command, environment, user, ports, network, readiness, checkpoint.*, compression',
  'the warm-up with its scripts and files, services with the programs and layouts that they name',
  'crac-build and CRIU, the engine with its version',
  'of this machine: kernel, CPU features, number of CPUs, memory',
];

/**
 * The name of the checkpoint that this build would take. What only says where things lie, how long something may take, what
 * is done with the image or how it is tried is no part of it.
 */
export function composeCacheKey(plan: BuildPlan, facts: KeyFacts): string {
  const { app, base, checkpoint, readiness, warmUp, services } = plan;
  const { source: _source, dockerfile: _dockerfile, ...inContainer } = app;
  const { timeoutMs: _checkpoint, policies: _policies, ...taken } = checkpoint;
  const { timeoutMs: _warmUp, ...sent } = warmUp;
  const { files, ...known } = facts;
  const inputs = {
    format: 1,
    ...known,
    name: plan.name,
    app: inContainer,
    javaVersion: base.javaVersion,
    command: plan.command,
    network: plan.network,
    readiness: readiness === undefined ? null : withoutTimeout(readiness),
    warmUp: sent,
    services: services.map(withoutTimeout),
    checkpoint: taken,
    answer: plan.verify.answer ?? null,
    compression: plan.image.compression,
    compressionLevel: plan.image.compressionLevel,
    /** Files are no younger than the image. */
    madeAtSeconds: Math.min(plan.image.createdSeconds, FIXED_MTIME_SECONDS),
    /** An image's environment and start words, which are in no layer. */
    base: base.kind === 'image' ? base.digest : null,
  };
  return createHash('sha256')
    .update(canonicalJson(inputs, new Map(Object.entries(files))))
    .digest('hex');
}

function withoutTimeout<T extends { readonly timeoutMs: number }>({ timeoutMs: _, ...rest }: T): Omit<T, 'timeoutMs'> {
  return rest;
}

/** Keys sorted; a file stands for its content. */
function canonicalJson(value: unknown, files: ReadonlyMap<string, string>): string {
  return JSON.stringify(value, (_key, each: unknown) => {
    if (typeof each === 'string') return files.get(each) ?? each;
    if (typeof each !== 'object' || each === null || Array.isArray(each)) return each;
    return Object.fromEntries(Object.entries(each).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}
