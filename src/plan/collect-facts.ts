import { access, constants, readFile, realpath } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { inspectJdk, type JdkFacts, parseRelease } from '../base/inspect-jdk.ts';
import type { Settings } from '../config/settings.ts';
import { CracBuildError, isCracBuildError } from '../errors.ts';
import { inspectJar } from '../jar/inspect-jar.ts';
import { bundleScript } from '../warm-up/bundle-script.ts';
import type { BuildFacts } from './plan-build.ts';
import { readRevision } from './read-revision.ts';

/** Looks at the jar, the JDK and the scripts that the settings name; the JDK is JAVA_HOME's or PATH's where they name none. */
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
  if (settings.checkpoint?.policies !== undefined) await requirePolicies(settings.checkpoint.policies);
  for (const { script } of settings.warmUp?.scenarios ?? []) if (script !== undefined) await bundleScript(script);
  const jdk =
    settings.base === undefined ? await inspectFoundJdk(await findJdk(environment)) : await inspectJdk(settings.base);
  const createdSeconds = parseSourceDate(environment['SOURCE_DATE_EPOCH']);
  const revision = await readRevision(dirname(jar.path));
  return {
    jar,
    jdk: { ...jdk, hotSpot: await isHotSpot(jdk.path) },
    ...(createdSeconds !== undefined && { createdSeconds }),
    ...(revision !== undefined && { revision }),
  };
}

/** Up to the last second that RFC 3339 can tell, of the year 9999. */
const MAX_SECONDS = 253_402_300_799;

/** https://reproducible-builds.org/specs/source-date-epoch/ */
function parseSourceDate(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  const seconds = Number(text);
  if (/^\d+$/.test(text) && seconds <= MAX_SECONDS) return seconds;
  throw new CracBuildError('CONFIG_INVALID', `SOURCE_DATE_EPOCH is ${JSON.stringify(text)}, which is no time`, {
    hint: 'Give whole seconds since 1970, such as `git log -1 --format=%ct` prints, or unset it.',
  });
}

/** It is read when the image is made; a wrong name is told at once. */
async function requirePolicies(path: string): Promise<void> {
  await access(path, constants.R_OK).catch((cause: unknown) => {
    throw new CracBuildError('INPUT_NOT_FOUND', `the policies file ${path} cannot be read`, {
      hint: 'Correct --policies (checkpoint.policies).',
      cause,
    });
  });
}

interface FoundJdk {
  readonly path: string;
  readonly foundIn: 'JAVA_HOME' | 'PATH';
}

/** Nobody wrote the folder down for this build: an error says where it came from. */
async function inspectFoundJdk({ path, foundIn }: FoundJdk): Promise<JdkFacts> {
  return await inspectJdk(path).catch((cause: unknown) => {
    if (!isCracBuildError(cause)) throw cause;
    throw new CracBuildError(cause.code, `${cause.message} (found with ${foundIn})`, {
      hint: `Correct ${foundIn}, or name a JDK: \`--base jdk:/usr/lib/jvm/…\`, or \`base: jdk:…\` in crac-build.yaml.`,
      cause,
    });
  });
}

async function findJdk(environment: Readonly<Record<string, string | undefined>>): Promise<FoundJdk> {
  if (environment['JAVA_HOME']) return { path: environment['JAVA_HOME'], foundIn: 'JAVA_HOME' };
  for (const folder of (environment['PATH'] ?? '').split(delimiter)) {
    const java = join(folder, 'java');
    const isThere = await access(java, constants.X_OK).then(
      () => true,
      () => false,
    );
    /** /usr/bin/java leads over links to JDK/bin/java. */
    if (folder !== '' && isThere) return { path: dirname(dirname(await realpath(java))), foundIn: 'PATH' };
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
