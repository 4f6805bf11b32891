import { homedir } from 'node:os';
import { join } from 'node:path';
import { JDKS } from '../e2e/support/build-example.ts';
import type { JavaVersion } from './systems.ts';

/** JDK 21 is that of Debian 13, with its own C library: scripts/install-jdk21.ts. */
export function findJdk(version: JavaVersion): string {
  if (version !== 21) return JDKS[version];
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  return join(cache, 'crac-build-test/jdk-21/usr/lib/jvm/java-21-openjdk-amd64');
}
