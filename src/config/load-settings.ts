import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { CracBuildError } from '../errors.ts';
import type { ImagePlace } from '../oci/place.ts';
import { mergeSettings } from './merge-settings.ts';
import { type ConfigFile, parseConfig } from './parse-config.ts';
import type { Settings } from './settings.ts';
import { findWarmUpFiles } from './warm-up-files.ts';

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
  if (flags.app?.jar === undefined) await requirePath(file, ['app', 'jar'], settings.app?.jar);
  if (flags.base === undefined) await requirePath(file, ['base'], settings.base);
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

function resolvePaths(settings: Settings, folder: string): Settings {
  const { app, base, checkpoint, outputs } = settings;
  return {
    ...settings,
    ...(app?.jar === undefined ? {} : { app: { ...app, jar: resolve(folder, app.jar) } }),
    ...(base === undefined ? {} : { base: resolve(folder, base) }),
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
