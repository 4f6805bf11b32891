import { access, constants, readFile, realpath } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { inspectJdk, parseRelease } from '../base/inspect-jdk.ts';
import type { Settings } from '../config/settings.ts';
import { CracBuildError } from '../errors.ts';
import { inspectJar } from '../jar/inspect-jar.ts';
import type { BuildFacts } from './plan-build.ts';

/** Looks at the jar and the JDK that the settings name; the JDK is JAVA_HOME's or PATH's where they name none. */
export async function collectFacts(
  settings: Settings,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<BuildFacts> {
  if (settings.app?.jar === undefined) {
    throw new CracBuildError('USAGE', 'no jar was given', {
      hint: 'Name it: `crac-build build app.jar`, or `app: {jar: …}` in crac-build.yaml.',
    });
  }
  const jar = await inspectJar(settings.app.jar);
  const jdk = await inspectJdk(settings.base ?? (await findJdk(environment)));
  return { jar, jdk: { ...jdk, hotSpot: await isHotSpot(jdk.path) } };
}

async function findJdk(environment: Readonly<Record<string, string | undefined>>): Promise<string> {
  if (environment['JAVA_HOME']) return environment['JAVA_HOME'];
  for (const folder of (environment['PATH'] ?? '').split(delimiter)) {
    const java = join(folder, 'java');
    const isThere = await access(java, constants.X_OK).then(
      () => true,
      () => false,
    );
    /** /usr/bin/java leads over links to JDK/bin/java. */
    if (folder !== '' && isThere) return dirname(dirname(await realpath(java)));
  }
  throw new CracBuildError('INPUT_NOT_FOUND', 'no JDK was found: JAVA_HOME is not set and there is no java in PATH', {
    hint: 'Name one: `--base jdk:/usr/lib/jvm/…`, or `base: jdk:/usr/lib/jvm/…` in crac-build.yaml.',
  });
}

/** Some vendors leave JVM_VARIANT out; all that do ship HotSpot. */
async function isHotSpot(jdk: string): Promise<boolean> {
  const variant = parseRelease(await readFile(join(jdk, 'release'), 'utf8')).get('JVM_VARIANT');
  return variant === undefined || variant.toLowerCase() === 'hotspot';
}
