import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { composeModules, findModules } from '../base/find-modules.ts';
import { inspectJdk, type JdkFacts } from '../base/inspect-jdk.ts';
import { fingerprintJdkBase, takeJdkBase } from '../base/jdk-base.ts';
import { inspectJar } from '../jar/inspect-jar.ts';
import { locateBlob, shareBlob } from '../oci/blob-store.ts';
import type { Layer } from '../oci/image.ts';
import { writeLayer } from '../oci/layer.ts';
import { explainNoSpace } from '../oci/space.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import { FIXED_MTIME_SECONDS } from '../tar/entry.ts';
import type { World } from '../world.ts';

/** CACHE/bases/KEY.json: a layer of CACHE/blobs. Written last, so what is named there is whole. */
const CACHED_LAYER = z.object({
  kind: z.literal('base'),
  compression: z.enum(['gzip', 'zstd']),
  digest: z.string(),
  diffId: z.string(),
  sizeBytes: z.number(),
  uncompressedBytes: z.number(),
});

/** The base layer of a `jdk:PATH` base, from the cache where the same JDK was asked for the same modules, in the same compression, before. */
export async function takeBaseLayer(plan: BuildPlan, blobDir: string, world: World): Promise<Layer> {
  const workDir = join(world.workDir, `base-${randomUUID()}`);
  const cachedBlobs = join(world.cacheDir, 'blobs');
  await mkdir(workDir, { recursive: true });
  try {
    const jdk = await inspectJdk(plan.base.path);
    const modules = await chooseModules(plan, jdk, workDir, world);
    const { compression, compressionLevel, createdSeconds } = plan.image;
    const times = createdSeconds < FIXED_MTIME_SECONDS ? `-${createdSeconds}` : '';
    const key = `${await fingerprintJdkBase(jdk.path, modules)}-${compression}-${compressionLevel}${times}`;
    const recordPath = join(world.cacheDir, 'bases', `${key}.json`);
    const layer =
      (await readCachedLayer(recordPath, cachedBlobs)) ??
      (await makeLayer(plan, jdk, modules, workDir, cachedBlobs, recordPath, world));
    await shareBlob(cachedBlobs, blobDir, layer.digest);
    return layer;
  } catch (error) {
    throw explainNoSpace(error, `making the base image in ${world.workDir}`);
  } finally {
    await rm(workDir, { recursive: true, force: true });
  }
}

async function chooseModules(
  plan: BuildPlan,
  jdk: JdkFacts,
  workDir: string,
  world: World,
): Promise<readonly string[]> {
  if (plan.base.modules !== 'auto') return composeModules(plan.base.modules, []);
  const jar = await inspectJar(plan.app.jar);
  const libraries = jar.classPath.filter((path) => path.endsWith('.jar')).map((path) => join(dirname(jar.path), path));
  const { modules, warning } = await findModules(
    {
      jdk: jdk.path,
      javaVersion: jdk.javaVersion,
      available: jdk.modules,
      jars: [jar.path, ...(await keepExisting(libraries))],
      nested: jar.layout === 'nested',
      workDir,
    },
    world.signal,
  );
  if (warning !== undefined) {
    world.report({ type: 'warning', message: warning, hint: 'Name them in base.modules; java.se was taken instead.' });
  }
  return modules;
}

async function makeLayer(
  { image }: BuildPlan,
  jdk: JdkFacts,
  modules: readonly string[],
  workDir: string,
  cachedBlobs: string,
  recordPath: string,
  world: World,
): Promise<Layer> {
  world.report({
    type: 'stage-progress',
    stage: 'containerize',
    text: `linking Java ${jdk.version} (${modules.length} modules)`,
  });
  const base = await takeJdkBase(jdk.path, modules, workDir, world.signal);
  for (const missing of base.missing) {
    world.report({ type: 'warning', message: `the build machine has no ${missing}: the image has none either` });
  }
  const layer = await writeLayer(cachedBlobs, 'base', base.entries, { ...image, signal: world.signal });
  await mkdir(dirname(recordPath), { recursive: true });
  const partial = `${recordPath}.${randomUUID()}`;
  await writeFile(partial, JSON.stringify(layer));
  await rename(partial, recordPath);
  return layer;
}

async function readCachedLayer(recordPath: string, cachedBlobs: string): Promise<Layer | undefined> {
  try {
    const layer = CACHED_LAYER.parse(JSON.parse(await readFile(recordPath, 'utf8')));
    const { size } = await stat(locateBlob(cachedBlobs, layer.digest));
    return size === layer.sizeBytes ? layer : undefined;
  } catch {
    return undefined; // not made yet, or not readable: made again
  }
}

async function keepExisting(paths: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(
    paths.map((path) =>
      stat(path)
        .then(() => [path])
        .catch(() => []),
    ),
  );
  return found.flat();
}
