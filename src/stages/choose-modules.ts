import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { composeModules, findModules } from '../base/find-modules.ts';
import type { JdkFacts } from '../base/inspect-jdk.ts';
import { locateRecord, readRecord, touchRecord, writeRecord } from '../cache/record.ts';
import type { BuildPlan, JdkBase } from '../plan/build-plan.ts';
import type { World } from '../world.ts';
import { requireSource } from './app-layer.ts';
import { hashFileOrFolder } from './hash-folder.ts';
import { tryToKeep } from './keep-in-cache.ts';

/** Raised whenever the same jars are to give other modules. */
const MODULES_VERSION = 1;
const FACTS = z.object({ modules: z.array(z.string()) });

/** Those that the settings name, or that jdeps finds in the jars: by the jars' content that is known from an earlier build. */
export async function chooseModules(
  plan: BuildPlan,
  base: JdkBase,
  jdk: JdkFacts,
  workDir: string,
  world: World,
): Promise<readonly string[]> {
  if (base.modules !== 'auto') return composeModules(base.modules, []);
  const { paths, nested } = requireSource(plan.app).analysed;
  const jars = await keepExisting(paths);
  const key = await composeModulesKey(jdk, jars);
  const known = await readModules(key, world);
  if (known !== undefined) return known;
  const request = { jdk: jdk.path, javaVersion: jdk.javaVersion, available: jdk.modules, jars, nested, workDir };
  const { modules, warning } = await findModules(request, world.signal);
  if (warning !== undefined) {
    world.report({ type: 'warning', message: warning, hint: 'Name them in base.modules; java.se was taken instead.' });
    return modules;
  }
  const record = { name: `${plan.name}, Java ${jdk.version}`, madeAtMs: Date.now(), layers: [], facts: { modules } };
  await tryToKeep('what jdeps found', world, () =>
    writeRecord(world.cacheDir, { kind: 'modules', key }, record, '', world.signal),
  );
  return modules;
}

/** `jars`: jars and folders of classes. */
export async function composeModulesKey(
  jdk: Pick<JdkFacts, 'path' | 'modules'>,
  jars: readonly string[],
): Promise<string> {
  const digests = await Promise.all(jars.map(hashFileOrFolder));
  const release = await readFile(join(jdk.path, 'release'), 'utf8');
  const inputs = [MODULES_VERSION, release, jdk.modules, digests];
  return createHash('sha256').update(JSON.stringify(inputs)).digest('hex').slice(0, 32);
}

async function readModules(key: string, world: World): Promise<readonly string[] | undefined> {
  const path = locateRecord(world.cacheDir, 'modules', key);
  const known = FACTS.safeParse((await readRecord(path))?.facts);
  if (!known.success) return undefined;
  await touchRecord(path);
  return known.data.modules;
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
