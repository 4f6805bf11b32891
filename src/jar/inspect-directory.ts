import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CracBuildError } from '../errors.ts';
import type { AppSource } from './app-source.ts';
import { inspectClassPath } from './class-path.ts';
import { findJar } from './find-jars.ts';
import { inspectInstallation } from './installation.ts';
import { inspectExploded, inspectLayerFolders } from './layer-folders.ts';
import { existing } from './listing.ts';
import { findMainClasses } from './main-classes.ts';

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
  const layered = await inspectLayerFolders(folder, names);
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
