import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { isCracBuildError } from '../errors.ts';
import { type AppSettings, readAppSettings } from '../jar/app-settings.ts';
import type { AppSource } from '../jar/app-source.ts';
import { detectFramework, type Framework } from '../jar/detect-framework.ts';
import { findEndpoints } from '../jar/find-endpoints.ts';
import { findJar } from '../jar/find-jars.ts';
import { inspectSource } from '../jar/inspect-source.ts';
import type { Endpoints } from '../jar/look-in-jar.ts';
import { type JarContents, readJarContents } from '../jar/read-jar-contents.ts';
import { readSourceContents } from '../jar/read-source-contents.ts';

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
  try {
    const jar = await findJar(path);
    return { source: await inspectSource({ jar: jar.path }), contents: await readJarContents(jar) };
  } catch (error) {
    const isFolder = await stat(path).then(
      (found) => found.isDirectory(),
      () => false,
    );
    if (!isFolder || !isCracBuildError(error, 'INPUT_NOT_FOUND')) throw error;
    const source = await inspectSource({ jar: path }).catch((other: unknown) => {
      throw isCracBuildError(other, 'INPUT_NOT_FOUND') ? error : other;
    });
    return { source, contents: await readSourceContents(source) };
  }
}

/** A WAR, which a server is to start. */
export function planWar(path: string): AppFindings {
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
