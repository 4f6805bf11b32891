import { type Endpoints, find, type Look, readPort, unseenPort } from './look-in-jar.ts';

/** https://helidon.io/docs/latest/se/observability: MP answers /health, SE 4 /observe/health. */
export function findHelidonEndpoints(look: Look): Endpoints {
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
