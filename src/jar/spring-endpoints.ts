import { DEFAULT_PORT, type Endpoints, find, firstOf, has, joinPath, type Look, readPort } from './look-in-jar.ts';

/** https://docs.spring.io/spring-boot/reference/actuator/monitoring.html */
export function findSpringEndpoints(look: Look): Endpoints {
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
