import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CracBuildError } from '../errors.ts';
import { type AppLayer, type AppPart, type AppSource, composeLayers } from './app-source.ts';
import { nameOfClass } from './class-path.ts';
import { existing, exists, listJars } from './listing.ts';
import { parseManifest } from './manifest.ts';
import { readZip, readZipEntry } from './read-zip.ts';

/** What `jarmode=tools extract --layers`, the older `jarmode=layertools` and Micronaut's build plugins make. */
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

/** Folders of layers, laid over one another. */
export async function inspectLayerFolders(folder: string, names: readonly string[]): Promise<AppSource | undefined> {
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
export async function inspectExploded(folder: string, layers: readonly LayerFolder[]): Promise<AppSource> {
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

async function readJarManifest(jar: string): Promise<ReadonlyMap<string, string>> {
  for await (const entry of readZip(jar)) {
    if (entry.name.toUpperCase() === 'META-INF/MANIFEST.MF')
      return parseManifest((await readZipEntry(entry)).toString('utf8'));
  }
  return new Map();
}
