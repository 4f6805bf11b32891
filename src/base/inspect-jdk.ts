import { access, constants, readFile, realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { CracBuildError } from '../errors.ts';

export interface JdkFacts {
  /** Absolute, links resolved. */
  readonly path: string;
  /** "17.0.15", as the release file says. */
  readonly version: string;
  /** Feature version: 17, 21, 25. */
  readonly javaVersion: number;
  /** "Debian", "Eclipse Adoptium"; "unknown" where the release file has no IMPLEMENTOR. */
  readonly vendor: string;
  readonly modules: readonly string[];
}

/** Rejects with INPUT_NOT_FOUND, or INPUT_INVALID where `path` holds no JDK that jlink can make an image from. */
export async function inspectJdk(path: string): Promise<JdkFacts> {
  const found = await realpath(resolve(path)).catch((cause: unknown) => {
    throw new CracBuildError('INPUT_NOT_FOUND', `there is no JDK at ${path}`, {
      hint: 'Give the folder of a JDK.',
      cause,
    });
  });
  const release = parseRelease(
    await readFile(join(found, 'release'), 'utf8').catch((cause: unknown) => {
      throw new CracBuildError('INPUT_INVALID', `${found} is not a JDK: it has no readable file \`release\``, {
        hint: 'Give the folder that JAVA_HOME would name.',
        cause,
      });
    }),
  );
  const version = release.get('JAVA_VERSION');
  const javaVersion = Number(/^(\d+)/.exec(version ?? '')?.[1]);
  if (version === undefined || !(javaVersion > 0)) {
    throw new CracBuildError('INPUT_INVALID', `${join(found, 'release')} names no JAVA_VERSION`, {
      hint: 'Give the folder that JAVA_HOME would name.',
    });
  }
  for (const tool of ['java', 'jlink', 'jdeps']) await requireTool(found, tool);
  return {
    path: found,
    version,
    javaVersion,
    vendor: release.get('IMPLEMENTOR') ?? 'unknown',
    modules: (release.get('MODULES') ?? '').split(' ').filter((module) => module !== ''),
  };
}

/** Lines of NAME="VALUE". */
export function parseRelease(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split('\n').flatMap((line) => {
      const match = /^([A-Z_]+)="(.*)"\s*$/.exec(line);
      return match === null ? [] : [[match[1] ?? '', match[2] ?? ''] as const];
    }),
  );
}

async function requireTool(jdk: string, tool: string): Promise<void> {
  await access(join(jdk, 'bin', tool), constants.X_OK).catch((cause: unknown) => {
    throw new CracBuildError('INPUT_INVALID', `${jdk} has no bin/${tool}`, {
      hint: 'Give a whole JDK, not a JRE (on Debian the package is openjdk-NN-jdk-headless).',
      cause,
    });
  });
}
