import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { inspectJdk, type JdkFacts } from '../base/inspect-jdk.ts';
import { fingerprintJdkBase, takeJdkBase } from '../base/jdk-base.ts';
import { locateRecord, readRecord, takeLayers, touchRecord, writeRecord } from '../cache/record.ts';
import type { Layer } from '../oci/image.ts';
import { writeLayer } from '../oci/layer.ts';
import { explainNoSpace } from '../oci/space.ts';
import type { BuildPlan, JdkBase } from '../plan/build-plan.ts';
import { FIXED_MTIME_SECONDS } from '../tar/entry.ts';
import type { World } from '../world.ts';
import { chooseModules } from './choose-modules.ts';
import { tryToKeep } from './keep-in-cache.ts';

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
  await mkdir(workDir, { recursive: true });
  try {
    const jdk = await inspectJdk(base.path);
    const modules = await chooseModules(plan, base, jdk, workDir, world);
    const { compression, compressionLevel, createdSeconds } = plan.image;
    const times = createdSeconds < FIXED_MTIME_SECONDS ? `-${createdSeconds}` : '';
    const key = `${await fingerprintJdkBase(jdk.path, modules)}-${compression}-${compressionLevel}${times}`;
    return (
      (await takeCachedLayer(key, blobDir, world)) ??
      (await makeLayer(plan, jdk, modules, { workDir, blobDir }, key, world))
    );
  } catch (error) {
    throw explainNoSpace(error, `making the base image in ${world.workDir}`);
  } finally {
    await rm(workDir, { recursive: true, force: true });
  }
}

async function makeLayer(
  { image }: BuildPlan,
  jdk: JdkFacts,
  modules: readonly string[],
  { workDir, blobDir }: { readonly workDir: string; readonly blobDir: string },
  key: string,
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
  const layer = await writeLayer(blobDir, 'base', base.entries, { ...image, signal: world.signal });
  const name = `Java ${jdk.version}, ${modules.length} modules, ${image.compression} ${image.compressionLevel}`;
  const record = { name, madeAtMs: Date.now(), layers: [layer], facts: {} };
  await tryToKeep('the base', world, () =>
    writeRecord(world.cacheDir, { kind: 'bases', key }, record, blobDir, world.signal),
  );
  return layer;
}

async function takeCachedLayer(key: string, blobDir: string, world: World): Promise<Layer | undefined> {
  const path = locateRecord(world.cacheDir, 'bases', key);
  const record = await readRecord(path);
  if (record === undefined) return undefined;
  const problem = await takeLayers(world.cacheDir, record.layers, blobDir);
  if (problem === undefined) {
    await touchRecord(path);
    return record.layers[0];
  }
  world.report({ type: 'warning', message: `the base in the cache cannot be used, ${problem}: it is made anew` });
  return undefined;
}
