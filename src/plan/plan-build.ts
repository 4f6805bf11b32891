import { basename } from 'node:path';
import type { ImageFacts } from '../base/inspect-base.ts';
import type { Settings } from '../config/settings.ts';
import type { DockerfileBuild } from '../engine/dockerfile-build.ts';
import { CracBuildError } from '../errors.ts';
import type { AppSource } from '../jar/app-source.ts';
import { DEFAULT_COMPRESSION, MAX_LEVELS } from '../oci/compression.ts';
import { OCI_KEYS } from '../oci/fact-keys.ts';
import type { Compression } from '../oci/image.ts';
import { renderTime } from '../oci/manifest.ts';
import { withDependentSteps } from '../steps.ts';
import { FIXED_MTIME_SECONDS } from '../tar/entry.ts';
import { probePorts } from '../warm-up/probe.ts';
import { planAddedJavaOptions } from './added-java-options.ts';
import type { BuildPlan, Output } from './build-plan.ts';
import { nameOfJar } from './name-of-jar.ts';
import { planAttestations } from './plan-attestations.ts';
import { nameOfImage, planImageCommand } from './plan-image-app.ts';
import { planAnswer, planReadiness } from './plan-readiness.ts';
import { planServices } from './plan-services.ts';
import { planSource } from './plan-source.ts';
import { planWarmUp } from './plan-warm-up.ts';
import type { Revision } from './read-revision.ts';

/** What is looked up on the machine before anything is decided. */
export interface BuildFacts {
  /** Absent: the image in `base` is the app. */
  readonly source?: AppSource;
  /** Of this machine. One of the two is there. */
  readonly jdk?: {
    readonly path: string;
    readonly javaVersion: number;
    readonly vendor?: string;
    readonly hotSpot: boolean;
  };
  readonly base?: ImageFacts;
  /** What the image in `base` was built from. */
  readonly dockerfile?: Omit<DockerfileBuild, 'tag'>;
  /** Of the repository that the jar lies in. */
  readonly revision?: Revision;
  /** SOURCE_DATE_EPOCH, where it is set: https://reproducible-builds.org/specs/source-date-epoch/ */
  readonly createdSeconds?: number;
  /** The engine that answered; absent where none was asked. */
  readonly engine?: 'docker' | 'oci';
}

const OLDEST_JAVA = 17;
const ROOT = { uid: 0, gid: 0 };
const APP_FOLDER = '/app';
/** C2's arena is given back by a task that HotSpot runs every 5 s. */
const SETTLE_MS = 5500;
const MAX_STATE_BYTES = 100e6;
export const MAX_CACHE_BYTES = 10e9;

/** Settings and facts → every decision of a build. Pure. INPUT_INVALID or STATE_REFUSED for what can never work. */
export function planBuild(given: Settings, facts: BuildFacts): BuildPlan {
  const settings = withPortsOfImage(given, facts);
  const { app = {}, checkpoint = {}, verify = {}, cache = {} } = settings;
  const javaOptions = [...(facts.source?.javaOptions ?? []), ...(app.javaOptions ?? [])];
  const start = facts.base?.start;
  const ownOptions = start?.kind === 'java' ? start.argv.slice(1) : [];
  const environment = { ...facts.base?.environment, ...app.environment };
  refuseWhatCannotWork([...javaOptions, ...ownOptions], environment, facts);

  const { jdk, base } = facts;
  const name =
    settings.name ??
    (facts.source === undefined
      ? nameOfImage(facts.dockerfile === undefined ? (base?.source ?? '') : basename(facts.dockerfile.context))
      : nameOfJar(facts.source.name));
  const planned = facts.source && planSource(facts.source, name, APP_FOLDER);
  const imagePath = planned?.imagePath ?? base?.start?.argv[0] ?? '';
  const trigger = checkpoint.trigger ?? 'build';
  const { readiness: wished, warmUp: { requests, scenarios } = {} } = settings;
  const isAsked = [wished, requests, scenarios].some((one) => one !== undefined) || (app.ports ?? []).length > 0;
  const readiness = trigger === 'build' || isAsked ? planReadiness(settings) : undefined;
  const port = probePorts(readiness)[0] ?? app.ports?.[0] ?? 8080;
  const ports = app.ports ?? (readiness === undefined ? [] : [port]);
  const warmUp = planWarmUp(settings, readiness, { port, ports }, trigger);
  const answer = readiness && planAnswer(readiness, warmUp, ports);
  const addedJavaOptions = planAddedJavaOptions(
    [...javaOptions, ...ownOptions, ...optionsOf(environment)],
    { javaVersion: base?.jvm.javaVersion ?? jdk?.javaVersion ?? OLDEST_JAVA, hotSpot: jdk?.hotSpot ?? true },
    checkpoint,
  );
  const java = base === undefined ? '/opt/java/bin/java' : `${base.jvm.home}/bin/java`;
  const jvm = [java, ...addedJavaOptions.map(({ option }) => option), ...javaOptions];
  const engine = facts.engine ?? settings.engine ?? 'auto';
  const outputs = (settings.outputs ?? [defaultOutput(name, engine)]).map((output) => planOutput(output, name));

  return {
    name,
    app: {
      ...(planned === undefined ? {} : { source: planned.source }),
      ...(facts.dockerfile === undefined ? {} : { dockerfile: facts.dockerfile }),
      folder: APP_FOLDER,
      imagePath,
      arguments: app.arguments ?? [],
      environment: app.environment ?? {},
      ports,
      user: app.user ?? base?.user ?? (planned === undefined ? ROOT : { uid: 1000, gid: 1000 }),
      workingDir: planWorkingDir(facts),
    },
    base: planBase(settings, facts),
    addedJavaOptions,
    javaOptions,
    command:
      planned === undefined && base !== undefined
        ? planImageCommand(base, app, addedJavaOptions)
        : { argv: [...jvm, ...(planned?.start ?? []), ...(app.arguments ?? [])], jvmOptionIndex: jvm.length },
    engine,
    network: settings.network ?? 'isolated',
    ...(readiness === undefined ? {} : { readiness }),
    warmUp,
    services: planServices(settings),
    checkpoint: {
      trigger,
      memory: checkpoint.memory ?? 'map',
      timeoutMs: checkpoint.timeout ?? 60_000,
      settleMs: checkpoint.settle ?? SETTLE_MS,
      resources: checkpoint.resources ?? 'transparent',
      ...(checkpoint.policies === undefined ? {} : { policies: checkpoint.policies }),
      skip: withDependentSteps(checkpoint.skip ?? []),
      maxStateBytes: checkpoint.maxState ?? MAX_STATE_BYTES,
      keep: checkpoint.keep ?? [],
      leaveOut: checkpoint.leaveOut ?? [],
    },
    verify: {
      enabled: verify.enabled ?? true,
      timeoutMs: verify.timeout ?? 30_000,
      ...(answer === undefined ? {} : { answer }),
    },
    cache: { enabled: cache.enabled ?? true, maxBytes: cache.maxSize ?? MAX_CACHE_BYTES },
    image: planImage(name, settings, facts, outputs),
    outputs,
    attestations: planAttestations(settings, facts),
    insecureRegistries: settings.insecureRegistries ?? [],
  };
}

/** What an image exposes is what its app listens on. */
function withPortsOfImage(settings: Settings, { source, base }: BuildFacts): Settings {
  if (source !== undefined || base === undefined || base.ports.length === 0 || settings.app?.ports !== undefined)
    return settings;
  return { ...settings, app: { ...settings.app, ports: [...base.ports] } };
}

function planBase({ modules }: Settings, { jdk, base }: BuildFacts): BuildPlan['base'] {
  if (base !== undefined) {
    if (modules !== undefined) {
      throw new CracBuildError('CONFIG_INVALID', 'modules are chosen for a base of the kind jdk:PATH only', {
        hint: 'Leave out modules: the JVM of another base stays as it is.',
      });
    }
    const { start: _, ...facts } = base;
    return { kind: 'image', javaVersion: base.jvm.javaVersion, ...facts };
  }
  if (jdk === undefined) throw new TypeError('neither a JDK nor a base was looked at');
  const vendor = jdk.vendor === undefined ? {} : { javaVendor: jdk.vendor };
  return { kind: 'jdk', path: jdk.path, javaVersion: jdk.javaVersion, ...vendor, modules: modules ?? 'auto' };
}

/** A base that has chosen a folder is followed. */
function planWorkingDir({ source, base }: BuildFacts): string {
  if (base !== undefined && (source === undefined || base.workingDir !== '/')) return base.workingDir;
  return APP_FOLDER;
}

function planImage(
  name: string,
  settings: Settings,
  { createdSeconds = FIXED_MTIME_SECONDS, source, revision, base }: BuildFacts,
  outputs: readonly Output[],
): BuildPlan['image'] {
  const { format = 'oci' } = settings.image ?? {};
  const { compression, compressionLevel } = planCompression(settings);
  if (format === 'docker' && compression !== 'gzip')
    throw new CracBuildError('CONFIG_INVALID', `Docker’s media types have none for layers in ${compression}`, {
      hint: 'Use image.format oci (--format oci), or image.compression gzip (--compression gzip).',
    });
  if (format === 'docker' && base?.layers.some((layer) => layer.compression === 'zstd'))
    throw new CracBuildError(
      'CONFIG_INVALID',
      `${base.source} has layers in zstd, for which Docker’s media types have none`,
      {
        hint: 'Use image.format oci (--format oci), or take a base whose layers are in gzip: its layers stay as they are.',
      },
    );
  if (format === 'docker' && outputs.some(({ kind }) => kind === 'oci'))
    throw new CracBuildError('CONFIG_INVALID', 'an oci:DIR output cannot have Docker’s media types', {
      hint: 'Use image.format oci (--format oci): skopeo and Podman look for no other types in a layout.',
    });
  const annotations = {
    [OCI_KEYS.title]: name,
    [OCI_KEYS.created]: renderTime(createdSeconds),
    ...(source?.version !== undefined && { [OCI_KEYS.version]: source.version }),
    ...(revision !== undefined && { [OCI_KEYS.revision]: revision.commit }),
    ...(revision?.url !== undefined && { [OCI_KEYS.source]: revision.url }),
    ...(base !== undefined && { [OCI_KEYS.baseDigest]: base.digest }),
  };
  return { compression, compressionLevel, format, createdSeconds, annotations };
}

export function planCompression({ image = {} }: Settings): Compression {
  const { compression = DEFAULT_COMPRESSION.compression, compressionLevel = DEFAULT_COMPRESSION.compressionLevel } =
    image;
  const max = MAX_LEVELS[compression];
  if (compressionLevel <= max) return { compression, compressionLevel };
  throw new CracBuildError('CONFIG_INVALID', `${compression} has the levels 1 to ${max}, not ${compressionLevel}`, {
    hint: 'Give image.compressionLevel (--compression-level) one of them, or use image.compression zstd (--compression zstd).',
  });
}

/** `docker load` shows an archive's image by its name. */
function planOutput(output: Output, name: string): Output {
  return output.kind === 'docker-archive' ? { reference: `${name}:latest`, ...output } : output;
}

function defaultOutput(name: string, engine: BuildPlan['engine']): Output {
  return engine === 'docker'
    ? { kind: 'docker', reference: `${name}:latest` }
    : { kind: 'oci', dir: `./${name}-image` };
}

/** Options that the JVM or its launcher takes from there. */
function optionsOf(environment: Readonly<Record<string, string>>): readonly string[] {
  return ['JAVA_TOOL_OPTIONS', 'JDK_JAVA_OPTIONS', '_JAVA_OPTIONS'].flatMap((variable) =>
    (environment[variable] ?? '').split(/\s+/).filter((word) => word !== ''),
  );
}

function refuseWhatCannotWork(
  javaOptions: readonly string[],
  environment: Readonly<Record<string, string>>,
  { jdk }: BuildFacts,
): void {
  if (jdk !== undefined && jdk.javaVersion < OLDEST_JAVA) {
    throw new CracBuildError('INPUT_INVALID', `the JDK at ${jdk.path} is Java ${jdk.javaVersion}`, {
      hint: `Give Java ${OLDEST_JAVA} or newer with base: jdk:PATH (--base jdk:PATH).`,
    });
  }
  if ([...javaOptions, ...optionsOf(environment)].includes('-XX:+UseZGC')) {
    throw new CracBuildError('STATE_REFUSED', 'an app under ZGC cannot be checkpointed', {
      hint: 'Replace -XX:+UseZGC by -XX:+UseG1GC, -XX:+UseParallelGC or -XX:+UseSerialGC.',
      details: ['ZGC keeps its heap in shared memory (memfd), which a restore plan cannot hold.'],
    });
  }
}
