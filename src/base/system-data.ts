import { access, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { composeFile, type TarEntry } from '../tar/entry.ts';
import { readTree } from './read-tree.ts';

/** Where distributions keep the bundle of certificate authorities. */
const CA_BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt', // Debian, Alpine, Arch
  '/etc/pki/tls/certs/ca-bundle.crt', // Fedora, RHEL
  '/var/lib/ca-certificates/ca-bundle.pem', // SUSE
];
const ZONEINFO = '/usr/share/zoneinfo';
const LOCALE = '/usr/lib/locale/C.utf8';

/** The same zones twice more, the second time with leap seconds; and a copy of the build machine's own choice. */
const ZONES_LEFT_OUT = new Set(['posix', 'right', 'localtime']);

export interface SystemData {
  readonly entries: readonly TarEntry[];
  /** What the build machine does not have. */
  readonly missing: readonly string[];
}

/** Certificate authorities, time zones and the C.UTF-8 locale, from the build machine. */
export async function readSystemData(): Promise<SystemData> {
  const entries: TarEntry[] = [];
  const missing: string[] = [];
  const bundle = await findFirst(CA_BUNDLES);
  if (bundle === undefined) missing.push('certificate authorities (package ca-certificates)');
  else entries.push(composeFile('etc/ssl/certs/ca-certificates.crt', await readFile(bundle)));
  if (await isThere(join(ZONEINFO, 'Etc/UTC'))) {
    entries.push(...(await readTree(ZONEINFO, ZONEINFO.slice(1), (path) => !ZONES_LEFT_OUT.has(path))));
  } else missing.push('time zones (package tzdata)');
  // Without it LANG=C.UTF-8 falls back to ASCII, and Java cannot open files whose names have other letters.
  if (await isThere(LOCALE)) entries.push(...(await readTree(LOCALE, LOCALE.slice(1))));
  return { entries, missing };
}

/** Changes whenever the data or the C library may have changed. */
export async function fingerprintSystemData(): Promise<readonly string[]> {
  const libraries = ['/usr/lib/x86_64-linux-gnu/libc.so.6', '/usr/lib/aarch64-linux-gnu/libc.so.6', '/lib64/libc.so.6'];
  const files = [...libraries, ...CA_BUNDLES, join(ZONEINFO, 'tzdata.zi'), join(ZONEINFO, 'zone.tab'), LOCALE];
  return await Promise.all(
    files.map(async (path) => {
      const found = await stat(path).catch(() => undefined);
      return `${path} ${found?.size ?? '-'} ${found?.mtimeMs ?? '-'}`;
    }),
  );
}

async function findFirst(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    if (await isThere(path)) return path;
  }
  return undefined;
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
