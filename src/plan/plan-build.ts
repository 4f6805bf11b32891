import type { Settings } from '../config/settings.ts';
import { CracBuildError } from '../errors.ts';
import { DEFAULT_COMPRESSION, MAX_LEVELS } from '../oci/compression.ts';
import { OCI_KEYS } from '../oci/fact-keys.ts';
import { renderTime } from '../oci/manifest.ts';
import { withDependentSteps } from '../steps.ts';
import { FIXED_MTIME_SECONDS } from '../tar/entry.ts';
import { probePorts } from '../warm-up/probe.ts';
import { planAddedJavaOptions } from './added-java-options.ts';
import type { BuildPlan, Output } from './build-plan.ts';
import { nameOfJar } from './name-of-jar.ts';
import { planAttestations } from './plan-attestations.ts';
import { planAnswer, planReadiness } from './plan-readiness.ts';
import { planServices } from './plan-services.ts';
import { planWarmUp } from './plan-warm-up.ts';
import type { Revision } from './read-revision.ts';

/** What is looked up on the machine before anything is decided. */
export interface BuildFacts {
  /** Absolute path. */
  readonly jar: { readonly path: string; readonly version?: string };
  readonly jdk: {
    readonly path: string;
    readonly javaVersion: number;
    readonly vendor?: string;
    readonly hotSpot: boolean;
  };
  /** Of the repository that the jar lies in. */
  readonly revision?: Revision;
  /** SOURCE_DATE_EPOCH, where it is set: https://reproducible-builds.org/specs/source-date-epoch/ */
  readonly createdSeconds?: number;
  /** The engine that answered; absent where none was asked. */
  readonly engine?: 'docker' | 'oci';
}

const OLDEST_JAVA = 17;
/** C2's arena is given back by a task that HotSpot runs every 5 s. */
const SETTLE_MS = 5500;

/** Settings and facts → every decision of a build. Pure. INPUT_INVALID or STATE_REFUSED for what can never work. */
export function planBuild(settings: Settings, facts: BuildFacts): BuildPlan {
  const { app = {}, checkpoint = {}, verify = {} } = settings;
  const javaOptions = app.javaOptions ?? [];
  refuseWhatCannotWork(javaOptions, app.environment ?? {}, facts);

  const name = settings.name ?? nameOfJar(facts.jar.path);
  const imagePath = `/app/${name}.jar`;
  const trigger = checkpoint.trigger ?? 'build';
  const { readiness: given, warmUp: { requests, scenarios } = {} } = settings;
  const isAsked = [given, requests, scenarios].some((one) => one !== undefined) || (app.ports ?? []).length > 0;
  const readiness = trigger === 'build' || isAsked ? planReadiness(settings) : undefined;
  const port = probePorts(readiness)[0] ?? app.ports?.[0] ?? 8080;
  const ports = app.ports ?? (readiness === undefined ? [] : [port]);
  const warmUp = planWarmUp(settings, readiness, { port, ports }, trigger);
  const answer = readiness && planAnswer(readiness, warmUp, ports);
  const addedJavaOptions = planAddedJavaOptions(javaOptions, facts.jdk, checkpoint);
  const jvm = ['/opt/java/bin/java', ...addedJavaOptions.map(({ option }) => option), ...javaOptions];
  const engine = facts.engine ?? settings.engine ?? 'auto';
  const outputs = (settings.outputs ?? [defaultOutput(name, engine)]).map((output) => planOutput(output, name));

  return {
    name,
    app: {
      jar: facts.jar.path,
      imagePath,
      arguments: app.arguments ?? [],
      environment: app.environment ?? {},
      ports,
      user: app.user ?? { uid: 1000, gid: 1000 },
      workingDir: '/app',
    },
    base: {
      kind: 'jdk',
      path: facts.jdk.path,
      javaVersion: facts.jdk.javaVersion,
      ...(facts.jdk.vendor !== undefined && { javaVendor: facts.jdk.vendor }),
      modules: settings.modules ?? 'auto',
    },
    addedJavaOptions,
    javaOptions,
    command: { argv: [...jvm, '-jar', imagePath, ...(app.arguments ?? [])], jvmOptionIndex: jvm.length },
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
    },
    verify: {
      enabled: verify.enabled ?? true,
      timeoutMs: verify.timeout ?? 30_000,
      ...(answer === undefined ? {} : { answer }),
    },
    image: planImage(name, settings, facts, outputs),
    outputs,
    attestations: planAttestations(settings, facts),
    insecureRegistries: settings.insecureRegistries ?? [],
  };
}

function planImage(
  name: string,
  { image = {} }: Settings,
  { createdSeconds = FIXED_MTIME_SECONDS, jar, revision }: BuildFacts,
  outputs: readonly Output[],
): BuildPlan['image'] {
  const { compression = DEFAULT_COMPRESSION.compression, compressionLevel = DEFAULT_COMPRESSION.compressionLevel } =
    image;
  const { format = 'oci' } = image;
  if (format === 'docker' && compression !== 'gzip')
    throw new CracBuildError('CONFIG_INVALID', `Docker’s media types have none for layers in ${compression}`, {
      hint: 'Use image.format oci (--format oci), or image.compression gzip (--compression gzip).',
    });
  if (format === 'docker' && outputs.some(({ kind }) => kind === 'oci'))
    throw new CracBuildError('CONFIG_INVALID', 'an oci:DIR output cannot have Docker’s media types', {
      hint: 'Use image.format oci (--format oci): skopeo and Podman look for no other types in a layout.',
    });
  const max = MAX_LEVELS[compression];
  const annotations = {
    [OCI_KEYS.title]: name,
    [OCI_KEYS.created]: renderTime(createdSeconds),
    ...(jar.version !== undefined && { [OCI_KEYS.version]: jar.version }),
    ...(revision !== undefined && { [OCI_KEYS.revision]: revision.commit }),
    ...(revision?.url !== undefined && { [OCI_KEYS.source]: revision.url }),
  };
  if (compressionLevel <= max) return { compression, compressionLevel, format, createdSeconds, annotations };
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

function refuseWhatCannotWork(
  javaOptions: readonly string[],
  environment: Readonly<Record<string, string>>,
  { jdk }: BuildFacts,
): void {
  if (jdk.javaVersion < OLDEST_JAVA) {
    throw new CracBuildError('INPUT_INVALID', `the JDK at ${jdk.path} is Java ${jdk.javaVersion}`, {
      hint: `Give Java ${OLDEST_JAVA} or newer with base: jdk:PATH (--base jdk:PATH).`,
    });
  }
  const fromEnvironment = ['JAVA_TOOL_OPTIONS', 'JDK_JAVA_OPTIONS', '_JAVA_OPTIONS'].flatMap((variable) =>
    (environment[variable] ?? '').split(/\s+/),
  );
  if ([...javaOptions, ...fromEnvironment].includes('-XX:+UseZGC')) {
    throw new CracBuildError('STATE_REFUSED', 'an app under ZGC cannot be checkpointed', {
      hint: 'Replace -XX:+UseZGC by -XX:+UseG1GC, -XX:+UseParallelGC or -XX:+UseSerialGC.',
      details: ['ZGC keeps its heap in shared memory (memfd), which a restore plan cannot hold.'],
    });
  }
}
