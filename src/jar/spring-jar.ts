import { basename } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { CracBuildError } from '../errors.ts';
import { type AppLayer, type AppSource, composeLayers, isSnapshot, MAIN_JAR } from './app-source.ts';
import type { JarFacts } from './inspect-jar.ts';
import { readZip, readZipEntry } from './read-zip.ts';

const LAYERS_INDEX = 'BOOT-INF/layers.idx';
const CLASS_PATH_INDEX = 'BOOT-INF/classpath.idx';
const LIBRARIES = 'BOOT-INF/lib/';
const CLASSES = 'BOOT-INF/classes/';
const MAX_INDEX_BYTES = 1 << 20;
/** In org.springframework.boot.loader until 3.1. PropertiesLauncher's class path is known at run time only. */
const JAR_LAUNCHER = /^org\.springframework\.boot\.loader\.(?:launch\.)?JarLauncher$/;
/** Brings `extract`, since Spring Boot 3.3; before, it was spring-boot-jarmode-layertools. */
const EXTRACTING_TOOLS = /^spring-boot-jarmode-tools-/;
/** Tools for who unpacks the jar; the app does not see them. */
const TOOLS = /^spring-boot-jarmode-/;

/**
 * A Spring Boot jar as `java -Djarmode=tools -jar app.jar extract` would unpack it: the libraries in lib/, beside them a jar
 * with the app's own classes whose manifest names them. Undefined where its launcher does more than to start the app.
 * https://docs.spring.io/spring-boot/specification/executable-jar/nested-jars.html
 */
export async function inspectSpringJar(jar: JarFacts): Promise<AppSource | undefined> {
  if (!JAR_LAUNCHER.test(jar.mainClass)) return undefined;
  const { libraries, layersIndex, classPathIndex, hasStartClass } = await readContents(jar.path);
  if (!hasStartClass || libraries.length === 0) return undefined;
  const index = layersIndex === undefined ? undefined : parseLayersIndex(layersIndex, jar.path);
  const hasTools = libraries.some((path) => EXTRACTING_TOOLS.test(basename(path)));
  const used = libraries.filter((path) => !TOOLS.test(basename(path)));
  return {
    title: `a Spring Boot jar, taken apart ${index === undefined ? 'by the names of its libraries' : `as its ${LAYERS_INDEX} says`}`,
    path: jar.path,
    name: basename(jar.path),
    start: { kind: 'jar' },
    layers: planLayers(jar.path, used, index ?? indexByName(used), orderClassPath(used, classPathIndex)),
    analysed: { paths: [jar.path], nested: true },
    ...(index !== undefined && hasTools && { toolLayers: index.map(({ name }) => name) }),
  };
}

/** What belongs to which layer: paths in the jar, folders with a "/" at their end. */
type LayersIndex = readonly { readonly name: string; readonly paths: readonly string[] }[];

const INDEX = z.array(z.record(z.string(), z.array(z.string()).nullable()));

/** A list of one-key maps: `- "dependencies":`, below it `- "BOOT-INF/lib/"`, … */
export function parseLayersIndex(text: string, jar: string): LayersIndex {
  try {
    return INDEX.parse(parse(text)).flatMap((layer) =>
      Object.entries(layer).map(([name, paths]) => ({ name, paths: paths ?? [] })),
    );
  } catch (cause) {
    throw new CracBuildError('INPUT_INVALID', `${LAYERS_INDEX} in ${jar} is no list of layers`, {
      hint: 'Build the jar again, or keep it whole: --no-extract (app.extract: false).',
      cause,
    });
  }
}

/** As Spring Boot's own tools do it by default. */
function indexByName(libraries: readonly string[]): LayersIndex {
  return [
    { name: 'dependencies', paths: libraries.filter((path) => !isSnapshot(path)) },
    { name: 'snapshot-dependencies', paths: libraries.filter(isSnapshot) },
    { name: 'application', paths: [CLASSES] },
  ];
}

function planLayers(
  from: string,
  libraries: readonly string[],
  index: LayersIndex,
  classPath: readonly string[],
): readonly AppLayer[] {
  const own = findLayer(index, `${CLASSES}Main.class`) ?? index.at(-1)?.name;
  const layers = index.map(({ name }): AppLayer => {
    const entries = libraries.filter((path) => (findLayer(index, path) ?? own) === name);
    return {
      name,
      kind: name === own ? 'app' : 'dependencies',
      parts: [
        ...(entries.length === 0 ? [] : [{ kind: 'entries', from, entries, to: 'lib' } as const]),
        ...(name === own ? [{ kind: 'thin-jar', from, classPath, to: MAIN_JAR } as const] : []),
      ],
    };
  });
  return composeLayers(layers);
}

/** The layer that names the path itself or else the innermost folder of it. */
function findLayer(index: LayersIndex, path: string): string | undefined {
  const matches = index.flatMap(({ name, paths }) =>
    paths.filter((one) => one === path || (one.endsWith('/') && path.startsWith(one))).map((one) => ({ name, one })),
  );
  return matches.toSorted((a, b) => b.one.length - a.one.length)[0]?.name;
}

/** The loader's order: classpath.idx, then what it does not name, in the jar's order. */
function orderClassPath(libraries: readonly string[], index: readonly string[]): readonly string[] {
  const named = index.filter((path) => libraries.includes(path));
  return [...new Set([...named, ...libraries])].map((path) => `lib/${basename(path)}`);
}

async function readContents(path: string) {
  const libraries: string[] = [];
  let layersIndex: string | undefined;
  let classPathIndex: readonly string[] = [];
  let hasStartClass = false;
  const readText = async (entry: Parameters<typeof readZipEntry>[0]) =>
    (await readZipEntry(entry)).subarray(0, MAX_INDEX_BYTES).toString('utf8');
  for await (const entry of readZip(path)) {
    if (entry.name.startsWith(LIBRARIES) && /^[^/]+\.jar$/.test(entry.name.slice(LIBRARIES.length)))
      libraries.push(entry.name);
    else if (entry.name === LAYERS_INDEX) layersIndex = await readText(entry);
    else if (entry.name === CLASS_PATH_INDEX) classPathIndex = parseClassPathIndex(await readText(entry));
    else if (entry.name.toUpperCase() === 'META-INF/MANIFEST.MF')
      hasStartClass = /^Start-Class: *\S/im.test(await readText(entry));
  }
  return { libraries, layersIndex, classPathIndex, hasStartClass };
}

/** Lines such as `- "BOOT-INF/lib/spring-core-7.0.1.jar"`. */
function parseClassPathIndex(text: string): readonly string[] {
  return text.split(/\r?\n/).flatMap((line) => /^- "(.+)"$/.exec(line.trim())?.[1] ?? []);
}
