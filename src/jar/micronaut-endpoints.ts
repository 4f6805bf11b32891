import { DEFAULT_PORT, type Endpoints, find, joinPath, type Look, readPort } from './look-in-jar.ts';

/** https://docs.micronaut.io/latest/guide/#healthEndpoint */
export function findMicronautEndpoints(look: Look): Endpoints {
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
