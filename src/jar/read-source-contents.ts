import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConfigText } from './app-settings.ts';
import type { AppSource } from './app-source.ts';
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
  const jars = await Promise.all(own.flatMap((part) => (/\.jar$/i.test(part.from) ? [readOne(part.from)] : [])));
  const configs = await Promise.all(
    own.flatMap((part) => (part.kind === 'folder' ? CONFIG_FILES.map((name) => readConfig(part.from, name)) : [])),
  );
  return {
    manifest: jars[0]?.manifest ?? new Map(),
    entries: jars.flatMap(({ entries }) => entries),
    artifacts: [
      ...jars.flatMap(({ artifacts }) => artifacts),
      ...analysed.paths.flatMap((path) => parseArtifact(path) ?? []),
    ],
    configs: [...jars.flatMap((jar) => jar.configs), ...configs.flat()],
  };
}

async function readConfig(folder: string, name: string): Promise<readonly ConfigText[]> {
  return await readFile(join(folder, name), 'utf8').then(
    (text) => [{ name, text }],
    () => [],
  );
}
