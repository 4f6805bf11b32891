import { basename } from 'node:path';
import type { Settings } from '../config/settings.ts';
import { CracBuildError } from '../errors.ts';
import { DEFAULT_COMPRESSION, MAX_LEVELS } from '../oci/compression.ts';
import type { Compression } from '../oci/image.ts';
import { withDependentSteps } from '../steps.ts';
import { planAddedJavaOptions } from './added-java-options.ts';
import type { BuildPlan, Output, Readiness, WarmUpRequest } from './build-plan.ts';

/** What is looked up on the machine before anything is decided. */
export interface BuildFacts {
  /** Absolute path. */
  readonly jar: { readonly path: string };
  readonly jdk: { readonly path: string; readonly javaVersion: number; readonly hotSpot: boolean };
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
  const isAsked = trigger === 'build' || settings.readiness !== undefined || settings.warmUp?.requests !== undefined;
  const readiness = isAsked || (app.ports ?? []).length > 0 ? planReadiness(settings) : undefined;
  const ports = app.ports ?? (readiness === undefined ? [] : [readiness.port]);
  const addedJavaOptions = planAddedJavaOptions(javaOptions, facts.jdk, checkpoint);
  const jvm = ['/opt/java/bin/java', ...addedJavaOptions.map(({ option }) => option), ...javaOptions];
  const engine = facts.engine ?? settings.engine ?? 'auto';

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
      modules: settings.modules ?? 'auto',
    },
    addedJavaOptions,
    javaOptions,
    command: { argv: [...jvm, '-jar', imagePath, ...(app.arguments ?? [])], jvmOptionIndex: jvm.length },
    engine,
    network: settings.network ?? 'isolated',
    ...(readiness === undefined ? {} : { readiness }),
    warmUp: {
      requests: readiness === undefined ? [] : planRequests(settings, readiness, trigger),
      timeoutMs: settings.warmUp?.timeout ?? 300_000,
    },
    checkpoint: {
      trigger,
      memory: checkpoint.memory ?? 'map',
      timeoutMs: checkpoint.timeout ?? 60_000,
      settleMs: checkpoint.settle ?? SETTLE_MS,
      resources: checkpoint.resources ?? 'transparent',
      ...(checkpoint.policies === undefined ? {} : { policies: checkpoint.policies }),
      skip: withDependentSteps(checkpoint.skip ?? []),
    },
    verify: { enabled: verify.enabled ?? true, timeoutMs: verify.timeout ?? 30_000 },
    image: planCompression(settings),
    outputs: settings.outputs ?? [defaultOutput(name, engine)],
  };
}

function planCompression({ image = {} }: Settings): Compression {
  const { compression = DEFAULT_COMPRESSION.compression, compressionLevel = DEFAULT_COMPRESSION.compressionLevel } =
    image;
  const max = MAX_LEVELS[compression];
  if (compressionLevel <= max) return { compression, compressionLevel };
  throw new CracBuildError('CONFIG_INVALID', `${compression} has the levels 1 to ${max}, not ${compressionLevel}`, {
    hint: 'Give image.compressionLevel (--compression-level) one of them, or use image.compression zstd (--compression zstd).',
  });
}

function planReadiness({ app, readiness = {} }: Settings): Readiness {
  return {
    port: readiness.port ?? app?.ports?.[0] ?? 8080,
    path: readiness.path ?? '/',
    status: readiness.status ?? 200,
    timeoutMs: readiness.timeout ?? 60_000,
  };
}

/** Without a list, the readiness path is what we know to work; an empty list means no warm-up. */
function planRequests(
  settings: Settings,
  readiness: Readiness,
  trigger: BuildPlan['checkpoint']['trigger'],
): readonly WarmUpRequest[] {
  const known = trigger === 'app' ? [] : [{ path: readiness.path, status: readiness.status }];
  const requests: NonNullable<NonNullable<Settings['warmUp']>['requests']> = settings.warmUp?.requests ?? known;
  return requests.map((request) => {
    const count = request.count ?? 100;
    return {
      method: request.method ?? 'GET',
      port: request.port ?? readiness.port,
      path: request.path,
      headers: request.headers ?? {},
      ...(request.body === undefined ? {} : { body: request.body }),
      count,
      concurrency: Math.min(request.concurrency ?? 1, count),
      status: request.status ?? 200,
      ...(request.contains === undefined ? {} : { contains: request.contains }),
    };
  });
}

/** "orders-service-1.4.2-SNAPSHOT.jar" → "orders-service". */
function nameOfJar(jar: string): string {
  const name = basename(jar)
    .replace(/\.jar$/i, '')
    .toLowerCase()
    .replace(/[-_.]v?\d[\w.+-]*$/, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  return name === '' ? 'app' : name;
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
