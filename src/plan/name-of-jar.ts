import { basename } from 'node:path';

/** "orders-service-1.4.2-SNAPSHOT.jar" → "orders-service". */
export function nameOfJar(jar: string): string {
  const name = basename(jar)
    .replace(/\.jar$/i, '')
    .toLowerCase()
    .replace(/[-_.]v?\d[\w.+-]*$/, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  return name === '' ? 'app' : name;
}
