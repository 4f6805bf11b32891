import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseRelease } from '../base/inspect-jdk.ts';
import { digestOf } from '../oci/blob-store.ts';
import type { SbomFacts } from './compose-sbom.ts';
import { type DebianPackage, findOwners } from './debian-packages.ts';
import { type ImageContents, parseOsRelease } from './image-contents.ts';

/**
 * For a base that was made of this machine's files: which package each belongs to. A file that has changed here since, as
 * an upgrade does while a base comes from the cache, is not one of the package as it is now.
 */
export async function readCopiedFrom(
  { files, jdks }: ImageContents,
  jdkPath: string,
  signal: AbortSignal,
): Promise<NonNullable<SbomFacts['copied']>> {
  const isOfJdk = (path: string) => jdks.some(({ home }) => path.startsWith(`${home}/`));
  const copied = files.filter(({ path, layer }) => layer === 'base' && !isOfJdk(path));
  const release = join(jdkPath, 'release');
  const found = await findOwners([...copied.map(({ path }) => `/${path}`), release], signal);
  const owners = new Map<string, DebianPackage>();
  for (const { path, digest } of copied) {
    const owner = found.get(`/${path}`);
    if (owner !== undefined && (await isSame(`/${path}`, digest))) owners.set(path, owner);
  }
  const jdkPackage = found.get(release);
  return {
    owners,
    osRelease: parseOsRelease(await readFile('/etc/os-release', 'utf8').catch(() => '')),
    jdkRelease: parseRelease(await readFile(release, 'utf8').catch(() => '')),
    ...(jdkPackage === undefined ? {} : { jdkPackage }),
  };
}

async function isSame(path: string, digest: string): Promise<boolean> {
  const content = await readFile(path).catch(() => undefined);
  return content !== undefined && digestOf(content) === digest;
}
