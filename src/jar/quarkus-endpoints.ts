import type { AppSettings } from './app-settings.ts';
import { DEFAULT_PORT, type Endpoints, find, firstOf, joinPath, type Look, readPort } from './look-in-jar.ts';

/** https://quarkus.io/guides/smallrye-health, https://quarkus.io/guides/management-interface-reference */
export function findQuarkusEndpoints(look: Look): Endpoints {
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
