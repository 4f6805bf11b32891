import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { TarEntry } from '../tar/entry.ts';
import { composeDirectory, composeFile } from '../tar/entry.ts';
import { composeAccounts } from './accounts.ts';
import { linkJdk } from './link-jdk.ts';
import { readTree } from './read-tree.ts';
import { composeRootFolders } from './root-folders.ts';
import { readSharedLibraries } from './shared-libraries.ts';
import { fingerprintSystemData, readSystemData } from './system-data.ts';

/** Raised whenever the same inputs are to give another base. */
const BASE_VERSION = 5;

const JAVA_HOME = 'opt/java';

/** Names the base that a JDK and a set of modules give on this machine, before it is made. */
export async function fingerprintJdkBase(jdk: string, modules: readonly string[]): Promise<string> {
  const image = await stat(join(jdk, 'lib/modules'));
  const hash = createHash('sha256');
  hash.update(
    JSON.stringify([BASE_VERSION, await readFile(join(jdk, 'release'), 'utf8'), image.size, image.mtimeMs, modules]),
  );
  hash.update(JSON.stringify(await fingerprintSystemData()));
  return hash.digest('hex').slice(0, 32);
}

export interface JdkBase {
  readonly entries: readonly TarEntry[];
  /** What the build machine could not give. */
  readonly missing: readonly string[];
}

/**
 * The root of a minimal image around a JDK: the linked JDK at /opt/java, the libraries it needs with their loader,
 * certificates, time zones, users. The entries point to files below `workDir` and on the build machine.
 */
export async function takeJdkBase(
  jdk: string,
  modules: readonly string[],
  workDir: string,
  signal: AbortSignal,
): Promise<JdkBase> {
  const linked = join(workDir, 'java');
  await linkJdk(jdk, modules, linked, signal);
  const java = await readTree(linked, JAVA_HOME);
  const system = await readSystemData();
  const accounts = composeAccounts();
  const release = await readFile(join(jdk, 'release'), 'utf8');
  const libraries = await readSharedLibraries(listElfFiles(java), linked, signal);
  const entries = new Map<string, TarEntry>();
  const description = `Java ${/^JAVA_RUNTIME_VERSION="(.*)"$/m.exec(release)?.[1] ?? 'runtime'}`;
  const all = [
    ...composeRootFolders(description),
    ...accounts,
    ...java,
    ...libraries,
    ...system.entries,
    ...(await readCertificates(jdk)),
  ];
  for (const entry of all) entries.set(entry.path, entry);
  addParents(entries);
  return { entries: [...entries.values()], missing: system.missing };
}

function listElfFiles(entries: readonly TarEntry[]): readonly string[] {
  return entries.flatMap((entry) => {
    if (entry.type !== 'file' || Buffer.isBuffer(entry.content)) return [];
    const native = entry.path.startsWith(`${JAVA_HOME}/bin/`) || /\.so$|\/jspawnhelper$/.test(entry.path);
    return native ? [entry.content.localPath] : [];
  });
}

/** What the JDK trusts, as a file of its own: Debian's JDKs have a link to /etc/ssl/certs/java/cacerts. */
async function readCertificates(jdk: string): Promise<readonly TarEntry[]> {
  const path = join(jdk, 'lib/security/cacerts');
  const content = await readFile(path).catch(() => undefined);
  return content === undefined ? [] : [composeFile(`${JAVA_HOME}/lib/security/cacerts`, content)];
}

function addParents(entries: Map<string, TarEntry>): void {
  for (const path of [...entries.keys()]) {
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
      const parent = path.slice(0, at);
      if (!entries.has(parent)) entries.set(parent, composeDirectory(parent));
    }
  }
}
