import { access, constants, readFile, realpath } from 'node:fs/promises';
import { delimiter, dirname, join, resolve } from 'node:path';
import { buildDockerfile } from '../base/build-dockerfile.ts';
import { inspectImage } from '../base/inspect-base.ts';
import { inspectJdk, type JdkFacts, parseRelease } from '../base/inspect-jdk.ts';
import type { ImageAccess, ImageAddress } from '../base/obtain-image.ts';
import type { Settings } from '../config/settings.ts';
import { renderImageWord } from '../config/words.ts';
import type { DockerfileBuild } from '../engine/dockerfile-build.ts';
import { CracBuildError, isCracBuildError } from '../errors.ts';
import { inspectSource } from '../jar/inspect-source.ts';
import { bundleScript } from '../warm-up/bundle-script.ts';
import { type BuildFacts, planCompression } from './plan-build.ts';
import { readRevision } from './read-revision.ts';

/**
 * Looks at the app, the base and the scripts that the settings name; the JDK is JAVA_HOME's or PATH's where they name no base. An
 * image is fetched for that: its layers are in `access.blobDir` then.
 */
export async function collectFacts(
  settings: Settings,
  environment: Readonly<Record<string, string | undefined>>,
  access: Omit<ImageAccess, 'compression' | 'environment' | 'insecureHosts'>,
): Promise<BuildFacts> {
  const { app = {} } = settings;
  refuseTwoApps(settings);
  const isImage = app.image !== undefined || app.dockerfile !== undefined;
  const source = isImage ? undefined : await inspectSource(app);
  if (settings.checkpoint?.policies !== undefined) await requirePolicies(settings.checkpoint.policies);
  for (const { script } of settings.warmUp?.scenarios ?? []) if (script !== undefined) await bundleScript(script);
  const inspect = async (word: ImageAddress, as: 'base' | 'app', name = renderImageWord(word)) =>
    await inspectImage(
      word,
      name,
      { as, hasOtherUser: app.user !== undefined },
      {
        ...access,
        environment,
        insecureHosts: settings.insecureRegistries ?? [],
        compression: planCompression(settings),
      },
    );
  const createdSeconds = parseSourceDate(environment['SOURCE_DATE_EPOCH']);
  const known = createdSeconds === undefined ? {} : { createdSeconds };
  if (app.image !== undefined) return { ...known, base: await inspect(app.image, 'app') };
  if (app.dockerfile !== undefined) {
    const build = planDockerfile(app.dockerfile);
    const built = await buildDockerfile(build, settings.engine ?? 'auto', { ...access, environment });
    return { ...known, base: await inspect(built.address, 'app', built.name), dockerfile: build };
  }
  const revision = source === undefined ? undefined : await readRevision(dirname(source.path));
  const made = { ...known, ...(source !== undefined && { source }), ...(revision !== undefined && { revision }) };
  const { base } = settings;
  if (base !== undefined && base.kind !== 'jdk') return { ...made, base: await inspect(base, 'base') };
  const jdk = base === undefined ? await inspectFoundJdk(await findJdk(environment)) : await inspectJdk(base.path);
  return { ...made, jdk: { ...jdk, hotSpot: await isHotSpot(jdk.path) } };
}

type Dockerfile = NonNullable<NonNullable<Settings['app']>['dockerfile']>;

function planDockerfile(dockerfile: Dockerfile): Omit<DockerfileBuild, 'tag'> {
  const { file, context, arguments: buildArguments = {}, target } = dockerfile;
  if (file === undefined && context === undefined) {
    throw new CracBuildError('USAGE', '--build-arg and --target go with a Dockerfile', {
      hint: 'Name it: --dockerfile FILE (app.dockerfile), or leave them out.',
    });
  }
  const path = resolve(file ?? join(context ?? '.', 'Dockerfile'));
  return {
    file: path,
    context: resolve(context ?? dirname(path)),
    buildArguments,
    ...(target === undefined ? {} : { target }),
  };
}

/** One app; and an image brings its own base, and is not built anew. */
function refuseTwoApps({ app = {}, base, modules }: Settings): void {
  const isImage = app.image !== undefined || app.dockerfile !== undefined;
  const apps = [
    ...(app.image === undefined ? [] : ['an image as the app (--image, app.image)']),
    ...(app.dockerfile === undefined ? [] : ['a Dockerfile (--dockerfile, app.dockerfile)']),
    ...(app.classPath === undefined ? [] : ['a class path (--class-path, app.classPath)']),
    ...(app.jar === undefined ? [] : ['a jar (app.jar)']),
  ];
  const parts = [
    ...(base === undefined ? [] : ['a base (--base, base)']),
    ...(modules === undefined ? [] : ['modules']),
  ];
  const [first, ...others] = isImage ? [...apps, ...parts] : apps;
  if (first === undefined || others.length === 0) return;
  throw new CracBuildError('USAGE', `${first} goes without ${others.join(' and ')}`, {
    hint: isImage
      ? 'Leave out one of them: a jar is put onto a base, an image has both.'
      : 'Leave out one of them: a jar can be on the class path, too.',
  });
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
