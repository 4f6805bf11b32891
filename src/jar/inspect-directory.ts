import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CracBuildError } from '../errors.ts';
import { type AppLayer, type AppPart, type AppSource, composeLayers } from './app-source.ts';
import { inspectClassPath, nameOfClass } from './class-path.ts';
import { findJar } from './find-jars.ts';
import { findMainClasses } from './main-classes.ts';
import { parseManifest } from './manifest.ts';
import { readZip, readZipEntry } from './read-zip.ts';
import { parseStartScript, type StartScript } from './start-script.ts';

/** A start of `jarmode=tools extract --layers`, of older `jarmode=layertools`, and of Micronaut's build plugins. */
const LAYERS: readonly { readonly names: readonly string[]; readonly title: string; readonly isNamed: boolean }[] = [
  {
    names: ['dependencies', 'spring-boot-loader', 'snapshot-dependencies', 'application'],
    title: 'the layers of a Spring Boot jar',
    isNamed: false,
  },
  /** The folder's own name is kept but for app/: /app/libs/a.jar, /app/application.jar. */
  {
    names: ['libs', 'snapshot_libs', 'project_libs', 'resources', 'app'],
    title: 'the layers of a Micronaut app',
    isNamed: true,
  },
];
const DEPENDENCIES = /^(?:dependencies|spring-boot-loader|libs)$/;

/**
 * A folder that a build tool has made: an unpacked app, in layers or not, an installation with its start script, classes, or a
 * project's folder with one executable jar. What could be several things is refused with their names.
 */
export async function inspectDirectory(
  folder: string,
  mainClass: string | undefined,
  inspectJar: (path: string) => Promise<AppSource>,
): Promise<AppSource> {
  const names = await readdir(folder);
  if (names.includes('BOOT-INF')) return await inspectExploded(folder, [{ from: folder, name: 'application' }]);
  const layered = await findLayers(folder, names);
  if (layered !== undefined) return layered;
  if (names.includes('bin') && names.includes('lib')) {
    const installed = await inspectInstallation(folder, mainClass);
    if (installed !== undefined) return installed;
  }
  if (mainClass !== undefined) return await inspectClassPath([folder], mainClass, { title: 'a folder of classes' });
  if (names.includes('quarkus-run.jar')) return await inspectJar(join(folder, 'quarkus-run.jar'));
  try {
    return await inspectJar((await findJar(folder)).path);
  } catch (error) {
    if (!(error instanceof CracBuildError) || error.code !== 'INPUT_NOT_FOUND') throw error;
    const built = await findBuiltFolder(folder);
    if (built !== undefined) return await inspectDirectory(built, mainClass, inspectJar);
    const classes = await findMainClasses(folder);
    if (classes.length === 0) throw refuse(folder, error);
    return await inspectClasses(folder, classes);
  }
}

/** Where Gradle puts installations and layers, in a project's folder. */
async function findBuiltFolder(folder: string): Promise<string | undefined> {
  const installed = join(folder, 'build/install');
  const names = (await readdir(installed).catch(() => [])).sort();
  if (names.length > 1) {
    throw new CracBuildError('INPUT_INVALID', `${installed} has ${names.length} installations`, {
      hint: `Say which: ${join(installed, names[0] ?? '')}.`,
      details: names,
    });
  }
  const candidates = [
    ...names.map((name) => join(installed, name)),
    ...LAYER_FOLDERS.map((name) => join(folder, name)),
  ];
  const found = await Promise.all(candidates.map(existing));
  return found.flat()[0];
}

/** Of the Micronaut plugins, newest first. */
const LAYER_FOLDERS = ['build/docker/main/layers', 'build/layers', 'target/layers'];

function refuse(folder: string, cause: CracBuildError): CracBuildError {
  return new CracBuildError('INPUT_NOT_FOUND', `${folder} holds nothing that could be started`, {
    hint: 'Build the app first, and give its jar, or a folder: quarkus-app, build/install/NAME, an unpacked Spring Boot jar, or classes.',
    details: cause.details,
    cause,
  });
}

async function inspectClasses(folder: string, classes: readonly string[]): Promise<AppSource> {
  const [only, ...further] = classes;
  if (only !== undefined && further.length === 0)
    return await inspectClassPath([folder], only, { title: 'a folder of classes' });
  throw new CracBuildError('INPUT_INVALID', `${folder} has ${classes.length} classes with a main method`, {
    hint: `Say which: --main-class ${only} (app.mainClass).`,
    details: classes,
  });
}

/** Gradle's `installDist`. */
async function inspectInstallation(folder: string, mainClass: string | undefined): Promise<AppSource | undefined> {
  const scripts: { readonly name: string; readonly script: StartScript }[] = [];
  for (const name of (await readdir(join(folder, 'bin'))).filter((one) => !one.endsWith('.bat')).sort()) {
    const text = await readFile(join(folder, 'bin', name), 'utf8').catch(() => '');
    const script = parseStartScript(text);
    if (script !== undefined) scripts.push({ name, script });
  }
  const chosen = mainClass === undefined ? scripts : scripts.filter(({ script }) => script.mainClass === mainClass);
  const [only, ...further] = chosen;
  if (only === undefined) return undefined;
  if (further.length > 0) {
    throw new CracBuildError('INPUT_INVALID', `${folder} has ${chosen.length} start scripts`, {
      hint: `Say which: --main-class ${only.script.mainClass} (app.mainClass).`,
      details: chosen.map(({ name, script }) => `bin/${name}: ${script.mainClass}`),
    });
  }
  const { script, name } = only;
  const source = await inspectClassPath(
    script.classPath.map((path) => join(folder, path)),
    script.mainClass,
    {
      title: `an installation, as bin/${name} starts it`,
      path: folder,
      javaOptions: script.javaOptions.map((option) => option.replaceAll('$APP_HOME', '/app')),
    },
  );
  return { ...source, name };
}

/** Folders of layers, laid over one another. */
async function findLayers(folder: string, names: readonly string[]): Promise<AppSource | undefined> {
  for (const { names: known, title, isNamed } of LAYERS) {
    const there = known.filter((name) => names.includes(name));
    if (there.length < 2 || !there.includes(known.at(-1) ?? '')) continue;
    const layers = there.map((name) => ({ name, from: join(folder, name), to: isNamed && name !== 'app' ? name : '' }));
    if (!isNamed && (await exists(join(folder, 'application', 'BOOT-INF'))))
      return await inspectExploded(folder, layers);
    const own = layers.at(-1);
    const inOwn = own === undefined ? [] : await listJars(own.from);
    /** Older Micronaut plugins put it beside the layers. */
    const jar = inOwn.length > 0 ? join(own?.from ?? '', inOwn[0] ?? '') : join(folder, 'application.jar');
    if (inOwn.length > 1) throw refuseSeveral(own?.from ?? folder, inOwn);
    if (!(await exists(jar))) continue;
    return await planLayers(folder, title, layers, jar);
  }
  return undefined;
}

function refuseSeveral(folder: string, jars: readonly string[]): CracBuildError {
  return new CracBuildError('INPUT_INVALID', `${folder} has ${jars.length} jars`, {
    hint: 'Leave there only the one that is started.',
    details: jars,
  });
}

interface LayerFolder {
  readonly name: string;
  readonly from: string;
  readonly to?: string;
}

async function planLayers(
  folder: string,
  title: string,
  layers: readonly LayerFolder[],
  jar: string,
): Promise<AppSource> {
  const mainClass = (await readJarManifest(jar)).get('main-class')?.trim();
  if (mainClass === undefined) {
    throw new CracBuildError('INPUT_INVALID', `the manifest of ${jar} names no Main-Class`, {
      hint: 'Build the layers again.',
    });
  }
  const jarTo = basename(jar);
  const isBeside = layers.every(({ from }) => !jar.startsWith(`${from}/`));
  const planned = await Promise.all(layers.map(composeLayer));
  const own = planned.at(-1);
  return {
    title,
    path: folder,
    name: /^application\.jar$/.test(jarTo) ? nameOfClass(mainClass) : jarTo,
    /** Not renamed: its Class-Path is relative to where it lies. */
    start: { kind: 'class', classPath: [jarTo], mainClass },
    layers: composeLayers(
      planned.map((layer) =>
        layer === own && isBeside
          ? { ...layer, parts: [...layer.parts, { kind: 'file', from: jar, to: jarTo }] }
          : layer,
      ),
    ),
    analysed: { paths: [...new Set([jar, ...(await listLibraries(layers))])], nested: false },
  };
}

/** BOOT-INF and the loader's classes lie open: the loader starts the app from there. */
async function inspectExploded(folder: string, layers: readonly LayerFolder[]): Promise<AppSource> {
  const manifest = join(layers.at(-1)?.from ?? folder, 'META-INF/MANIFEST.MF');
  const attributes = parseManifest(
    await readFile(manifest, 'utf8').catch((cause: unknown) => refuseNoManifest(manifest, cause)),
  );
  const mainClass = attributes.get('main-class')?.trim() ?? refuseNoManifest(manifest);
  return {
    title: `an unpacked Spring Boot jar${layers.length > 1 ? ' in layers' : ''}`,
    path: folder,
    name: nameOfClass(attributes.get('start-class')?.trim() ?? mainClass),
    start: { kind: 'class', classPath: [''], mainClass },
    layers:
      layers.length > 1
        ? composeLayers(await Promise.all(layers.map(composeLayer)))
        : [
            {
              name: 'dependencies',
              kind: 'dependencies',
              parts: [{ kind: 'folder', from: join(folder, 'BOOT-INF/lib'), to: 'BOOT-INF/lib' }],
            },
            {
              name: 'application',
              kind: 'app',
              parts: [{ kind: 'folder', from: folder, to: '', without: ['BOOT-INF/lib'] }],
            },
          ],
    analysed: {
      paths: [
        ...(await Promise.all(layers.map(({ from }) => existing(join(from, 'BOOT-INF/classes'))))).flat(),
        ...(await listLibraries(layers.map((layer) => ({ ...layer, from: join(layer.from, 'BOOT-INF') })))),
      ],
      nested: false,
    },
  };
}

function refuseNoManifest(manifest: string, cause?: unknown): never {
  throw new CracBuildError('INPUT_INVALID', `${manifest} cannot be read or names no Main-Class`, {
    hint: 'Unpack the whole jar.',
    cause,
  });
}

async function composeLayer({ name, from, to = '' }: LayerFolder): Promise<AppLayer> {
  const isEmpty = (await readdir(from)).length === 0;
  const parts: readonly AppPart[] = isEmpty ? [] : [{ kind: 'folder', from, to }];
  return { name, kind: DEPENDENCIES.test(name) || name.startsWith('snapshot') ? 'dependencies' : 'app', parts };
}

/** Jars of the layers themselves and of lib/ in them. */
async function listLibraries(layers: readonly LayerFolder[]): Promise<readonly string[]> {
  const folders = layers.flatMap(({ from }) => [from, join(from, 'lib')]);
  const lists = await Promise.all(folders.map(async (from) => (await listJars(from)).map((name) => join(from, name))));
  return lists.flat();
}

async function listJars(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => name.endsWith('.jar')).sort();
}

async function readJarManifest(jar: string): Promise<ReadonlyMap<string, string>> {
  for await (const entry of readZip(jar)) {
    if (entry.name.toUpperCase() === 'META-INF/MANIFEST.MF')
      return parseManifest((await readZipEntry(entry)).toString('utf8'));
  }
  return new Map();
}

async function existing(path: string): Promise<readonly string[]> {
  return (await exists(path)) ? [path] : [];
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
