import { randomUUID } from 'node:crypto';
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { composeModules, findModules } from '../base/find-modules.ts';
import { inspectJdk, type JdkFacts } from '../base/inspect-jdk.ts';
import { fingerprintJdkBase, takeJdkBase } from '../base/jdk-base.ts';
import { readCachedLayer, writeCachedLayer } from '../oci/adopt-layer.ts';
import { shareBlob } from '../oci/blob-store.ts';
import type { Layer } from '../oci/image.ts';
import { writeLayer } from '../oci/layer.ts';
import { explainNoSpace } from '../oci/space.ts';
import type { BuildPlan, JdkBase } from '../plan/build-plan.ts';
import type { World } from '../world.ts';
import { requireSource } from './app-layer.ts';

/** The base's layers, which `blobDir` has then: those of an image as they were found, or the one that is made of a JDK. */
export async function takeBaseLayers(plan: BuildPlan, blobDir: string, world: World): Promise<readonly Layer[]> {
  const { base } = plan;
  if (base.kind === 'jdk') return [await takeJdkLayer(plan, base, blobDir, world)];
  if (!base.jvm.hasClassArchive) {
    world.report({
      type: 'warning',
      message: `the Java of ${base.source} has no class archive: cold starts take longer than they need to`,
      hint: `Run \`${base.jvm.home}/bin/java -Xshare:dump\` where that image is made.`,
    });
  }
  return base.layers;
}

/** The base layer of a `jdk:PATH` base, from the cache where the same JDK was asked for the same modules, in the same compression, before. */
async function takeJdkLayer(plan: BuildPlan, base: JdkBase, blobDir: string, world: World): Promise<Layer> {
  const workDir = join(world.workDir, `base-${randomUUID()}`);
  const cachedBlobs = join(world.cacheDir, 'blobs');
  await mkdir(workDir, { recursive: true });
  try {
    const jdk = await inspectJdk(base.path);
    const modules = await chooseModules(plan, base, jdk, workDir, world);
    const { compression, compressionLevel } = plan.image;
    const key = `${await fingerprintJdkBase(jdk.path, modules)}-${compression}-${compressionLevel}`;
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
  base: JdkBase,
  jdk: JdkFacts,
  workDir: string,
  world: World,
): Promise<readonly string[]> {
  if (base.modules !== 'auto') return composeModules(base.modules, []);
  const { paths, nested } = requireSource(plan.app).analysed;
  const { modules, warning } = await findModules(
    {
      jdk: jdk.path,
      javaVersion: jdk.javaVersion,
      available: jdk.modules,
      jars: await keepExisting(paths),
      nested,
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
  await writeCachedLayer(recordPath, layer);
  return layer;
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
