import { type AppSettings, readAppSettings } from '../jar/app-settings.ts';
import { detectFramework, type Framework } from '../jar/detect-framework.ts';
import { findEndpoints } from '../jar/find-endpoints.ts';
import { findJar } from '../jar/find-jars.ts';
import type { JarFacts } from '../jar/inspect-jar.ts';
import type { Endpoints } from '../jar/look-in-jar.ts';
import { readJarContents } from '../jar/read-jar-contents.ts';

/** What is found out about an app without starting it. */
export interface AppFindings {
  readonly jar: JarFacts;
  readonly framework: Framework;
  readonly endpoints: Endpoints;
}

/** `path`: a project's folder or a jar. */
export async function inspectApp(path: string): Promise<AppFindings> {
  const jar = await findJar(path);
  const contents = await readJarContents(jar);
  const framework = detectFramework(contents);
  const settings: AppSettings = readAppSettings(contents.configs);
  return { jar, framework, endpoints: findEndpoints(framework, { ...contents, settings }) };
}
