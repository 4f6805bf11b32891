import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { CracBuildError, isCracBuildError } from '../errors.ts';
import { type AppSettings, readAppSettings } from '../jar/app-settings.ts';
import type { AppSource } from '../jar/app-source.ts';
import { detectFramework, type Framework } from '../jar/detect-framework.ts';
import { findEndpoints } from '../jar/find-endpoints.ts';
import { findJar } from '../jar/find-jars.ts';
import { inspectJar } from '../jar/inspect-jar.ts';
import { inspectSource } from '../jar/inspect-source.ts';
import type { Endpoints } from '../jar/look-in-jar.ts';
import { type JarContents, readJarContents } from '../jar/read-jar-contents.ts';
import { readSourceContents } from '../jar/read-source-contents.ts';
import { readZip } from '../jar/read-zip.ts';

/** What is found out about an app without starting it. */
export interface AppFindings {
  readonly source: AppSource;
  readonly framework: Framework;
  readonly endpoints: Endpoints;
}

/** `path`: a project's folder, one that a build tool made of the app, or a jar. */
export async function inspectApp(path: string): Promise<AppFindings> {
  const { source, contents } = await look(path);
  const framework = detectFramework(contents);
  const settings: AppSettings = readAppSettings(contents.configs);
  return { source, framework, endpoints: findEndpoints(framework, { ...contents, settings }) };
}

async function look(path: string): Promise<{ readonly source: AppSource; readonly contents: JarContents }> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const jar = isFolder ? path : (await findJar(path)).path;
  const source = await inspectSource({ jar }).catch((error: unknown) => {
    // Of a project that was not built yet, the jar that it lacks says more than the folders that it could have.
    const isNothing = isCracBuildError(error, 'INPUT_NOT_FOUND') && isCracBuildError(error.cause);
    throw isNothing ? error.cause : error;
  });
  const isJar = (await stat(source.path)).isFile();
  const contents = isJar ? await readJarContents(await inspectJar(source.path)) : await readSourceContents(source);
  return { source, contents };
}

/** A WAR, which a server is to start. */
export async function inspectWar(path: string): Promise<AppFindings> {
  await requireWar(path);
  return {
    source: {
      title: 'a WAR',
      path,
      name: basename(path).replace(/\.war$/i, '.jar'),
      start: { kind: 'jar' },
      layers: [],
      analysed: { paths: [], nested: false },
    },
    framework: { name: 'tomcat', title: 'Tomcat', evidence: `${basename(path)} is a WAR` },
    endpoints: { port: { value: 8080, reason: 'the port that Tomcat and Jetty have by default' }, notes: [] },
  };
}

/** A Dockerfile would be written for whatever has the name. */
async function requireWar(path: string): Promise<void> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new CracBuildError('INPUT_NOT_FOUND', `there is no WAR at ${path}`, {
      hint: 'Build the app first, or correct the name: `crac-build init --dockerfile target/app.war`.',
      cause,
    });
  });
  const refuse = (words: string, cause?: unknown): CracBuildError =>
    new CracBuildError('INPUT_INVALID', `${path} is no WAR: ${words}`, {
      hint: 'Give the file that the build tool makes for a server, not the folder that it unpacks it to.',
      cause,
    });
  if (!found.isFile()) throw refuse('it is not a file');
  try {
    for await (const _ of readZip(path)) return;
  } catch (cause) {
    throw refuse((cause as Error).message, cause);
  }
  throw refuse('it is empty');
}
