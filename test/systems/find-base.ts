import { homedir } from 'node:os';
import { join } from 'node:path';
import { JDKS } from '../e2e/support/build-example.ts';
import type { JavaVersion } from './systems.ts';

/** As `--base` has it. JDK 21 is that of Debian 13, in that system: scripts/install-test-base.ts. */
export function findBase(version: JavaVersion): string {
  if (version !== 21) return `jdk:${JDKS[version]}`;
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  return `oci:${join(cache, 'crac-build-test/debian-bases/trixie-21')}`;
}
