import { stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { CracBuildError } from '../errors.ts';
import { type AppPart, type AppSource, composeLayers, isSnapshot, MAIN_JAR } from './app-source.ts';
import { inspectClassPath } from './class-path.ts';
import { inspectDirectory } from './inspect-directory.ts';
import { inspectJar, type JarFacts, QUARKUS_RUNNER } from './inspect-jar.ts';
import { inspectSpringJar } from './spring-jar.ts';

/** The app as the settings name it: a jar or a folder, or a class path. */
export interface SourceSettings {
  readonly jar?: string | undefined;
  readonly classPath?: readonly string[] | undefined;
  readonly mainClass?: string | undefined;
  /** Whether a Spring Boot jar is taken apart. */
  readonly extract?: boolean | undefined;
}

/** Rejects with USAGE, INPUT_NOT_FOUND or INPUT_INVALID where there is nothing that a JVM could start. */
export async function inspectSource(settings: SourceSettings): Promise<AppSource> {
  const { jar, classPath, mainClass, extract = true } = settings;
  if (classPath !== undefined) return await inspectClassPath(classPath, mainClass);
  if (jar === undefined) {
    throw new CracBuildError('USAGE', 'no jar was given', {
      hint: 'Name it: `crac-build build app.jar`, or `app: {jar: …}` in crac-build.yaml; or an image: `--image …`.',
    });
  }
  const path = resolve(jar);
  const found = await stat(path).catch(() => undefined);
  const source = found?.isDirectory()
    ? await inspectDirectory(path, mainClass, (file) => inspectJarSource(file, extract))
    : await inspectJarSource(path, extract);
  const { start } = source;
  const isAsWished = mainClass === undefined || (start.kind === 'class' && start.mainClass === mainClass);
  return isAsWished ? source : refuseMainClass(path);
}

function refuseMainClass(path: string): never {
  throw new CracBuildError('USAGE', `${path} says itself which class it starts`, {
    hint: 'Leave out --main-class (app.mainClass), or give the jar as --class-path (app.classPath).',
  });
}

async function inspectJarSource(path: string, extract: boolean): Promise<AppSource> {
  if (/\.war$/i.test(path)) await requireExecutableWar(path);
  const jar = await inspectJar(path);
  const version = jar.version === undefined ? {} : { version: jar.version };
  if (jar.mainClass === QUARKUS_RUNNER) return { ...planQuarkus(jar), ...version };
  const source = (extract ? await inspectSpringJar(jar) : undefined) ?? (await planPlainJar(jar));
  return { ...source, ...version };
}

/** A WAR needs a server; Spring Boot can put one into it. */
async function requireExecutableWar(path: string): Promise<void> {
  await inspectJar(path).catch((cause: unknown) => {
    if (
      !(cause instanceof CracBuildError) ||
      cause.code !== 'INPUT_INVALID' ||
      !/Main-Class|has no META/.test(cause.message)
    )
      throw cause;
    throw new CracBuildError('INPUT_INVALID', `${resolve(path)} is a WAR: it needs a server that it is put into`, {
      hint: 'Make an image of server and WAR with a Dockerfile: `crac-build init --dockerfile app.war` writes one for Tomcat or Jetty.',
      cause,
    });
  });
}

/** lib/ holds all that was not written by the app's authors; quarkus/ what the build made of the app. */
function planQuarkus(jar: JarFacts): AppSource {
  const folder = dirname(jar.path);
  const own = jar.classPath.find((path) => /^app\/[^/]+\.jar$/.test(path));
  const folders = [...new Set(jar.classPath.map((path) => path.split('/')[0] ?? ''))];
  const part = (name: string): AppPart => ({ kind: 'folder', from: join(folder, name), to: name });
  return {
    title: 'a Quarkus fast-jar',
    path: jar.path,
    name: basename(own ?? jar.path),
    start: { kind: 'jar' },
    layers: composeLayers([
      { name: 'dependencies', kind: 'dependencies', parts: folders.filter((name) => name === 'lib').map(part) },
      {
        name: 'application',
        kind: 'app',
        parts: [
          { kind: 'file', from: jar.path, to: MAIN_JAR },
          ...folders.filter((name) => name === 'app' || name === 'quarkus').map(part),
        ],
      },
    ]),
    analysed: {
      paths: [jar.path, ...jar.classPath.filter((path) => path.endsWith('.jar')).map((path) => join(folder, path))],
      nested: false,
    },
  };
}

/** The jar with what its Class-Path names beside it: libraries apart from the rest. */
async function planPlainJar(jar: JarFacts): Promise<AppSource> {
  const folder = dirname(jar.path);
  const beside = (
    await Promise.all(
      jar.classPath.map((path) => locatePart(join(folder, path.replace(/\/+$/, '')), path.replace(/\/+$/, ''))),
    )
  ).flat();
  const isLibrary = (part: AppPart) => part.kind === 'file' && /\.jar$/i.test(part.to) && !isSnapshot(part.to);
  const libraries = beside.filter(isLibrary);
  return {
    title: jar.layout === 'nested' ? 'a jar with jars in it, kept whole' : 'an executable jar',
    path: jar.path,
    name: basename(jar.path),
    start: { kind: 'jar' },
    layers: composeLayers([
      { name: 'dependencies', kind: 'dependencies', parts: libraries },
      {
        name: 'application',
        kind: 'app',
        parts: [{ kind: 'file', from: jar.path, to: MAIN_JAR }, ...beside.filter((part) => !isLibrary(part))],
      },
    ]),
    analysed: {
      paths: [
        jar.path,
        ...(jar.layout === 'nested' ? [] : beside.flatMap((part) => (/\.jar$/.test(part.from) ? [part.from] : []))),
      ],
      nested: jar.layout === 'nested',
    },
  };
}

/** What is not there is no error for `java -jar` either. */
async function locatePart(from: string, to: string): Promise<readonly AppPart[]> {
  const found = await stat(from).catch(() => undefined);
  if (found?.isFile()) return [{ kind: 'file', from, to }];
  return found?.isDirectory() && to !== '' ? [{ kind: 'folder', from, to }] : [];
}
