import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { CracBuildError } from '../errors.ts';
import type { ImagePlace } from '../oci/place.ts';
import { mergeSettings, namesApp } from './merge-settings.ts';
import { type ConfigFile, parseConfig } from './parse-config.ts';
import type { Settings } from './settings.ts';
import { findWarmUpFiles } from './warm-up-files.ts';
import type { BaseWord } from './words.ts';

export const DEFAULT_CONFIG_FILE = 'crac-build.yaml';

/**
 * The file's settings with the flags over them; paths made absolute: the file's from its own folder, the flags' from `cwd`.
 * Without `configFile`, crac-build.yaml in `cwd` where there is one.
 */
export async function loadSettings(options: {
  readonly configFile: string | undefined;
  readonly flags: Settings;
  readonly cwd: string;
}): Promise<Settings> {
  const { configFile, cwd } = options;
  const flags = resolvePaths(options.flags, cwd);
  const file = await readConfig(configFile ?? DEFAULT_CONFIG_FILE, { cwd, isOptional: configFile === undefined });
  if (file === undefined) return flags;
  const folder = dirname(resolve(cwd, file.path));
  const settings = await findWarmUpFiles(resolvePaths(file.settings, folder), file, folder);
  if (!namesApp(flags)) {
    await requirePath(file, ['app', 'jar'], settings.app?.jar);
    await requirePath(file, ['app', 'image'], pathOf(settings.app?.image));
  }
  if (flags.app?.dockerfile?.file === undefined && (flags.app?.dockerfile !== undefined || !namesApp(flags)))
    await requirePath(file, ['app', 'dockerfile'], settings.app?.dockerfile?.file);
  if (flags.base === undefined) await requirePath(file, ['base'], pathOf(settings.base));
  if (flags.checkpoint?.policies === undefined)
    await requirePath(file, ['checkpoint', 'policies'], settings.checkpoint?.policies);
  return mergeSettings(settings, flags);
}

async function readConfig(
  path: string,
  { cwd, isOptional }: { readonly cwd: string; readonly isOptional: boolean },
): Promise<ConfigFile | undefined> {
  try {
    return parseConfig(await readFile(resolve(cwd, path), 'utf8'), path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof CracBuildError) throw error;
    if (code === 'ENOENT' && isOptional) return undefined;
    const sentence =
      code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : (error as Error).message;
    throw new CracBuildError('CONFIG_INVALID', `cannot read the config file ${path}: ${sentence}`, {
      hint: 'Correct --config, or leave it out and give the settings as flags.',
      cause: error,
    });
  }
}

/** A file that the config names and that is not there is told with the config's line. */
async function requirePath(file: ConfigFile, key: readonly string[], path: string | undefined): Promise<void> {
  if (path === undefined) return;
  await stat(path).catch((cause: unknown) => {
    throw new CracBuildError('CONFIG_INVALID', `${file.locate(key)}: there is no ${path}`, {
      hint: `Paths in ${basename(file.path)} count from its own folder.`,
      cause,
    });
  });
}

/** Undefined: it is at no path of this machine. */
function pathOf(word: BaseWord | undefined): string | undefined {
  if (word?.kind === 'jdk') return word.path;
  if (word?.kind === 'oci') return word.dir;
  return word?.kind === 'docker-archive' ? word.file : undefined;
}

function resolveWord<T extends BaseWord>(word: T, folder: string): T {
  if (word.kind === 'jdk') return { ...word, path: resolve(folder, word.path) };
  if (word.kind === 'oci') return { ...word, dir: resolve(folder, word.dir) };
  return word.kind === 'docker-archive' ? { ...word, file: resolve(folder, word.file) } : word;
}

function resolvePaths(settings: Settings, folder: string): Settings {
  const { app, base, checkpoint, outputs } = settings;
  return {
    ...settings,
    ...(app === undefined ? {} : { app: resolveApp(app, folder) }),
    ...(base === undefined ? {} : { base: resolveWord(base, folder) }),
    ...(checkpoint?.policies === undefined
      ? {}
      : { checkpoint: { ...checkpoint, policies: resolve(folder, checkpoint.policies) } }),
    ...(settings.attestations === undefined ? {} : { attestations: resolveKeys(settings.attestations, folder) }),
    ...(outputs === undefined
      ? {}
      : {
          outputs: outputs.map((output) => resolvePlace(output, folder)),
        }),
  };
}

function resolveApp(app: NonNullable<Settings['app']>, folder: string): NonNullable<Settings['app']> {
  const { jar, image, classPath, dockerfile } = app;
  return {
    ...app,
    ...(jar === undefined ? {} : { jar: resolve(folder, jar) }),
    ...(image === undefined ? {} : { image: resolveWord(image, folder) }),
    ...(dockerfile === undefined ? {} : { dockerfile: resolveDockerfile(dockerfile, folder) }),
    ...(classPath === undefined ? {} : { classPath: classPath.map((path) => resolve(folder, path)) }),
  };
}

type Dockerfile = NonNullable<NonNullable<Settings['app']>['dockerfile']>;

function resolveDockerfile(dockerfile: Dockerfile, folder: string): Dockerfile {
  const { file, context } = dockerfile;
  return {
    ...dockerfile,
    ...(file === undefined ? {} : { file: resolve(folder, file) }),
    ...(context === undefined ? {} : { context: resolve(folder, context) }),
  };
}

function resolveKeys(
  attestations: NonNullable<Settings['attestations']>,
  folder: string,
): NonNullable<Settings['attestations']> {
  const { signKey, signPublicKey } = attestations;
  return {
    ...attestations,
    ...(signKey?.kind === 'file' ? { signKey: { ...signKey, path: resolve(folder, signKey.path) } } : {}),
    ...(signPublicKey === undefined ? {} : { signPublicKey: resolve(folder, signPublicKey) }),
  };
}

function resolvePlace(place: ImagePlace, folder: string): ImagePlace {
  if (place.kind === 'oci') return { ...place, dir: resolve(folder, place.dir) };
  return place.kind === 'docker-archive' ? { ...place, file: resolve(folder, place.file) } : place;
}
