import type { AppSettings } from './app-settings.ts';
import { type Artifact, findArtifact } from './artifacts.ts';
import type { Framework, FrameworkName } from './detect-framework.ts';

export interface Endpoints {
  readonly port: { readonly value: number; readonly reason: string };
  /** The page that says whether the app is ready; absent where none is known. */
  readonly health?: {
    readonly path: string;
    readonly port: number;
    readonly reason: string;
    /** It speaks no TLS although the app does. */
    readonly isPlain?: boolean;
  };
  /** Why the app is thought to speak TLS. */
  readonly tls?: string;
  /** What the reader of a generated configuration should know. */
  readonly notes: readonly string[];
}

interface Look {
  readonly settings: AppSettings;
  readonly artifacts: readonly Artifact[];
  readonly entries: readonly string[];
}

const DEFAULT_PORT = 8080;

/** Where an app listens and tells that it is ready, by what its framework does without being told and what its own settings say. Pure. */
export function findEndpoints(framework: Framework, look: Look): Endpoints {
  return FINDERS[framework.name]?.(look) ?? { port: unseenPort(framework.title), notes: [] };
}

const FINDERS: Partial<Readonly<Record<FrameworkName, (look: Look) => Endpoints>>> = {
  'spring-boot': findSpringEndpoints,
  quarkus: findQuarkusEndpoints,
  micronaut: findMicronautEndpoints,
  helidon: findHelidonEndpoints,
};

function unseenPort(title: string): Endpoints['port'] {
  return {
    value: DEFAULT_PORT,
    reason: `a guess: where ${title === 'plain Java' ? 'a plain Java app' : `an app with ${title}`} listens is not to be seen in the jar`,
  };
}

/** https://docs.spring.io/spring-boot/reference/actuator/monitoring.html */
function findSpringEndpoints(look: Look): Endpoints {
  const { settings } = look;
  const port = readPort(look, 'server.port', DEFAULT_PORT);
  const notes: string[] = [];
  const servers = [
    'spring-boot-tomcat',
    'spring-boot-jetty',
    'spring-boot-reactor-netty',
    'tomcat-embed-core',
    'jetty-server',
    'undertow-core',
    'reactor-netty-http',
  ];
  if (
    !servers.some((name) => has(look, name)) &&
    !look.entries.some((name) => name.startsWith('org/springframework/boot/'))
  )
    notes.push(
      'No web server is among its libraries: an app that serves nobody needs `checkpoint: {trigger: app}` (see README).',
    );
  if (has(look, 'spring-security-web'))
    notes.push(
      'Spring Security is there: requests of the warm-up, readiness among them, must be open to all or bring synthetic credentials.',
    );
  const tls = firstOf(settings, ['server.ssl.key-store', 'server.ssl.bundle', 'server.ssl.certificate']);
  const health = findActuator(look, port.value);
  return { port, ...(health === undefined ? {} : { health }), ...(tls === undefined ? {} : { tls }), notes };
}

function findActuator(look: Look, serverPort: number): Endpoints['health'] {
  const { settings } = look;
  const actuator = find(look, [
    'spring-boot-actuator',
    'org/springframework/boot/actuate/health/HealthEndpoint.class',
    'org/springframework/boot/health/actuate/endpoint/HealthEndpoint.class',
  ]);
  const isOff =
    settings('management.endpoint.health.enabled')?.value === 'false' ||
    settings('management.endpoint.health.access')?.value === 'none' ||
    /(^|,|\s)(health|\*)(,|\s|$)/.test(settings('management.endpoints.web.exposure.exclude')?.value ?? '') ||
    settings('management.server.port')?.value === '-1';
  if (actuator === undefined || isOff) return undefined;
  const port = Number(settings('management.server.port')?.value ?? serverPort);
  const isOwnPort = port !== serverPort;
  const base = settings('management.endpoints.web.base-path')?.value ?? '/actuator';
  const name = settings('management.endpoints.web.path-mapping.health')?.value ?? 'health';
  const root = isOwnPort
    ? settings('management.server.base-path')?.value
    : (settings('server.servlet.context-path') ?? settings('spring.webflux.base-path'))?.value;
  return { path: joinPath(root ?? '', base, name), port, reason: `Actuator is there (${actuator.evidence})` };
}

/** https://quarkus.io/guides/smallrye-health, https://quarkus.io/guides/management-interface-reference */
function findQuarkusEndpoints(look: Look): Endpoints {
  const { settings } = look;
  const port = readPort(look, 'quarkus.http.port', DEFAULT_PORT);
  const tls = firstOf(settings, [
    'quarkus.http.ssl.certificate.files',
    'quarkus.http.ssl.certificate.key-store-file',
    'quarkus.http.tls-configuration-name',
  ]);
  const found = find(look, [
    'quarkus-smallrye-health',
    'io/quarkus/smallrye/health/runtime/SmallRyeHealthHandler.class',
  ]);
  const isManaged = settings('quarkus.management.enabled')?.value === 'true';
  const root = isManaged ? (settings('quarkus.management.root-path')?.value ?? '/q') : quarkusRoot(settings);
  const health = settings('quarkus.smallrye-health.root-path')?.value ?? 'health';
  return {
    port,
    ...(found === undefined
      ? {}
      : {
          health: {
            /** A path that begins with "/" is not below the others'. */
            path: health.startsWith('/') ? health : joinPath(root, health),
            port: isManaged ? Number(settings('quarkus.management.port')?.value ?? 9000) : port.value,
            reason: `SmallRye Health is there (${found.evidence})`,
            ...(isManaged ? { isPlain: !hasManagementTls(settings) } : {}),
          },
        }),
    ...(tls === undefined ? {} : { tls }),
    notes: [],
  };
}

/** The management interface has a TLS configuration of its own. */
function hasManagementTls(settings: AppSettings): boolean {
  const keys = ['certificate.files', 'certificate.key-store-file'].map((key) => `quarkus.management.ssl.${key}`);
  return firstOf(settings, [...keys, 'quarkus.management.tls-configuration-name']) !== undefined;
}

function quarkusRoot(settings: AppSettings): string {
  const root = settings('quarkus.http.root-path')?.value ?? '/';
  const others = settings('quarkus.http.non-application-root-path')?.value ?? 'q';
  return others.startsWith('/') ? others : joinPath(root, others);
}

/** https://docs.micronaut.io/latest/guide/#healthEndpoint */
function findMicronautEndpoints(look: Look): Endpoints {
  const { settings } = look;
  const port = readPort(look, 'micronaut.server.port', DEFAULT_PORT);
  const found = find(look, ['micronaut-management', 'io/micronaut/management/endpoint/health/HealthEndpoint.class']);
  const isOff = (settings('endpoints.health.enabled') ?? settings('endpoints.all.enabled'))?.value === 'false';
  const tls = settings('micronaut.server.ssl.enabled');
  const context = settings('micronaut.server.context-path')?.value ?? '';
  const base = settings('endpoints.all.path')?.value ?? '';
  return {
    port,
    ...(found === undefined || isOff
      ? {}
      : {
          health: {
            path: joinPath(context, base, 'health'),
            port: Number(settings('endpoints.all.port')?.value ?? port.value),
            reason: `Micronaut's management is there (${found.evidence})`,
          },
        }),
    ...(tls?.value === 'true' ? { tls: `micronaut.server.ssl.enabled in ${tls.from}` } : {}),
    notes: [],
  };
}

/** https://helidon.io/docs/latest/se/observability: MP answers /health, SE 4 /observe/health. */
function findHelidonEndpoints(look: Look): Endpoints {
  const mp = find(look, ['helidon-microprofile-server', 'io/helidon/microprofile/server/Server.class']);
  const port =
    look.settings('server.port') === undefined && mp === undefined
      ? unseenPort('Helidon')
      : readPort(look, 'server.port', 7001);
  const health = find(look, [
    'helidon-microprofile-health',
    'helidon-webserver-observe-health',
    'io/helidon/microprofile/health/HealthCdiExtension.class',
    'io/helidon/webserver/observe/health/HealthObserver.class',
  ]);
  return {
    port,
    ...(health === undefined
      ? {}
      : {
          health: {
            path: mp === undefined ? '/observe/health' : '/health',
            port: port.value,
            reason: `Helidon's health checks are there (${health.evidence})`,
          },
        }),
    notes: [],
  };
}

function readPort({ settings }: Look, key: string, otherwise: number): Endpoints['port'] {
  const setting = settings(key);
  const value = Number(setting?.value);
  if (setting === undefined) return { value: otherwise, reason: `the default: ${key} is not set in the jar` };
  if (Number.isInteger(value) && value >= 1 && value <= 65_535) return { value, reason: `${key} in ${setting.from}` };
  const words = value === 0 ? 'a free port each time: give it one' : `${setting.value}, which is no port`;
  return { value: otherwise, reason: `a guess: ${key} in ${setting.from} is ${words}` };
}

function firstOf(settings: AppSettings, keys: readonly string[]): string | undefined {
  for (const key of keys) {
    const setting = settings(key);
    if (setting !== undefined) return `${key} in ${setting.from}`;
  }
  return undefined;
}

function has({ artifacts }: Look, name: string): boolean {
  return findArtifact(artifacts, name) !== undefined;
}

/** A library by its name, or a class of it where it was merged into the jar. */
function find({ artifacts, entries }: Look, marks: readonly string[]): { readonly evidence: string } | undefined {
  for (const mark of marks) {
    if (mark.endsWith('.class') && entries.includes(mark)) return { evidence: mark };
    const artifact = mark.endsWith('.class') ? undefined : findArtifact(artifacts, mark);
    if (artifact !== undefined) return artifact;
  }
  return undefined;
}

function joinPath(...parts: readonly string[]): string {
  const segments = parts.flatMap((part) => part.split('/')).filter((segment) => segment !== '');
  return `/${segments.join('/')}`;
}
