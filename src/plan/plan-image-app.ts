import type { ImageFacts } from '../base/inspect-base.ts';
import type { Settings } from '../config/settings.ts';
import { CracBuildError } from '../errors.ts';
import type { BuildPlan } from './build-plan.ts';

type AddedOptions = BuildPlan['addedJavaOptions'];

/**
 * How an image's own start becomes one that can be checkpointed. A cold start is as the image has it, word by word; in the
 * build `java` gets our options in front of its own. A wrapper's JVM finds them in JDK_JAVA_OPTIONS, which every `java` reads.
 */
export function planImageCommand(
  { start, source, environment }: ImageFacts,
  app: NonNullable<Settings['app']>,
  added: AddedOptions,
): BuildPlan['command'] {
  if (start === undefined) throw new TypeError(`nobody looked for the start of ${source}`);
  const { javaOptions = [], arguments: given } = app;
  // As `docker run IMAGE ARGUMENT…`: they replace the command, and not the entrypoint.
  const words = given === undefined ? start.argv : [...start.argv.slice(0, start.entrypointLength), ...given];
  const options = added.map(({ option }) => option);
  if (start.kind === 'java') {
    const [java = '', ...rest] = words;
    const own = [java, ...javaOptions];
    return {
      argv: [java, ...options, ...javaOptions, ...rest],
      jvmOptionIndex: 1 + options.length + javaOptions.length,
      cold: { argv: [...own, ...rest], jvmOptionIndex: own.length },
    };
  }
  if (javaOptions.length > 0) {
    throw new CracBuildError(
      'CONFIG_INVALID',
      `the entrypoint of ${source} is a wrapper, which takes no app.javaOptions`,
      {
        hint: 'Give them in app.environment, under the name that the wrapper or Java reads: JAVA_OPTS, JDK_JAVA_OPTIONS, ….',
      },
    );
  }
  const own = app.environment?.['JDK_JAVA_OPTIONS'] ?? environment['JDK_JAVA_OPTIONS'] ?? '';
  return {
    argv: words,
    jvmOptionIndex: words.length,
    ...(start.suspect === undefined ? {} : { suspect: start.suspect }),
    environment: { JDK_JAVA_OPTIONS: [...options, own].join(' ').trim() },
    cold: { argv: words, jvmOptionIndex: words.length },
  };
}

/** "oci:/images/shop:1.2" → "shop"; "registry.example:5000/team/shop@sha256:…" → "shop". */
export function nameOfImage(source: string): string {
  const bare = source
    .replace(/@sha256:[0-9a-f]+$/, '')
    .replace(/^[a-z-]+:(?=.)/, '')
    .replace(/:[\w][\w.-]*$/, '');
  const name = (bare.split('/').at(-1) ?? '')
    .toLowerCase()
    .replace(/\.tar(?:\.gz)?$/, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  return name === '' ? 'app' : name;
}
