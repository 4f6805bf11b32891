import { dirname, join } from 'node:path';
import { CracBuildError } from '../errors.ts';
import { type ConfigText, isConfigFile } from './app-settings.ts';
import { type Artifact, POM_PROPERTIES, parseArtifact, parsePomProperties } from './artifacts.ts';
import type { DetectedFrom } from './detect-framework.ts';
import type { JarFacts } from './inspect-jar.ts';
import { parseManifest } from './manifest.ts';
import { readZip, readZipEntry } from './read-zip.ts';

export interface JarContents extends DetectedFrom {
  /** The app's own configuration. */
  readonly configs: readonly ConfigText[];
}

/** No configuration is that long. */
const MAX_TEXT_BYTES = 1 << 20;

/** What the jar, the libraries in it and those beside it tell; they are named, not opened. */
export async function readJarContents(jar: JarFacts): Promise<JarContents> {
  const own = await readOne(jar.path);
  const beside = jar.classPath.flatMap((path) => parseArtifact(path) ?? []);
  /** Quarkus puts the app's own classes and configuration beside the jar that is started. */
  const parts = await Promise.all(
    jar.classPath
      .filter((path) => /^app\/[^/]+\.jar$/.test(path))
      .map((path) => readOne(join(dirname(jar.path), path)).then(({ configs }) => configs)),
  );
  return { ...own, artifacts: [...own.artifacts, ...beside], configs: [...own.configs, ...parts.flat()] };
}

/** One jar, without what is beside it. */
export async function readOne(path: string): Promise<JarContents> {
  const entries: string[] = [];
  const artifacts: Artifact[] = [];
  const configs: ConfigText[] = [];
  let manifest: ReadonlyMap<string, string> = new Map();
  try {
    for await (const entry of readZip(path)) {
      const { name } = entry;
      entries.push(name);
      const nested = /\/lib\/[^/]+\.jar$/.test(name) ? parseArtifact(name) : undefined;
      if (nested !== undefined) artifacts.push(nested);
      const isManifest = name.toUpperCase() === 'META-INF/MANIFEST.MF';
      if (!isManifest && !isConfigFile(name) && !POM_PROPERTIES.test(name)) continue;
      const text = (await readZipEntry(entry)).subarray(0, MAX_TEXT_BYTES).toString('utf8');
      if (isManifest) manifest = parseManifest(text);
      else if (isConfigFile(name)) configs.push({ name, text });
      else artifacts.push(...[parsePomProperties(name, text) ?? []].flat());
    }
  } catch (cause) {
    throw new CracBuildError('INPUT_INVALID', `${path} is not a readable jar: ${(cause as Error).message}`, {
      hint: 'Build the app again if the jar was cut off.',
      cause,
    });
  }
  return { manifest, entries, artifacts, configs };
}
