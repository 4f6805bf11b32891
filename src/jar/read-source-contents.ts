import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { ConfigText } from './app-settings.ts';
import type { AppPart, AppSource } from './app-source.ts';
import { parseArtifact } from './artifacts.ts';
import { type JarContents, readOne } from './read-jar-contents.ts';

/** Where frameworks look for their configuration in a folder of classes. */
const CONFIG_FILES = ['', 'config/', 'META-INF/', 'BOOT-INF/classes/', 'BOOT-INF/classes/config/'].flatMap((folder) =>
  ['application.properties', 'application.yml', 'application.yaml', 'microprofile-config.properties'].map(
    (name) => `${folder}${name}`,
  ),
);

/** What an app that is no single jar tells: its libraries are named, its own parts opened. */
export async function readSourceContents({ layers, analysed }: AppSource): Promise<JarContents> {
  const own = layers.filter(({ kind }) => kind === 'app').flatMap(({ parts }) => parts);
  const jars = await Promise.all((await Promise.all(own.map(listJars))).flat().map(readOne));
  const configs = await Promise.all(
    own.flatMap((part) => (part.kind === 'folder' ? CONFIG_FILES.map((name) => readConfig(part.from, name)) : [])),
  );
  return {
    manifest: jars[0]?.manifest ?? new Map(),
    entries: jars.flatMap(({ entries }) => entries),
    artifacts: [
      ...jars.flatMap(({ artifacts }) => artifacts),
      ...analysed.paths.flatMap((path) => parseArtifact(basename(path)) ?? []),
    ],
    configs: [...jars.flatMap((jar) => jar.configs), ...configs.flat()],
  };
}

/** A jar itself; of a folder those that lie in it. */
async function listJars({ kind, from }: AppPart): Promise<readonly string[]> {
  if (kind !== 'folder') return /\.jar$/i.test(from) ? [from] : [];
  return (await readdir(from)).filter((name) => /\.jar$/i.test(name)).map((name) => join(from, name));
}

async function readConfig(folder: string, name: string): Promise<readonly ConfigText[]> {
  return await readFile(join(folder, name), 'utf8').then(
    (text) => [{ name, text }],
    () => [],
  );
}
