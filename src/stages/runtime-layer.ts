import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CracBuildError } from '../errors.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import { composeDirectory, composeFile, type TarEntry } from '../tar/entry.ts';

/** In /opt/crac of every image, from `world.nativeDir`. The restored JVM maps the last two: they must not change. */
const PARTS = [
  { name: 'restore', mode: 0o755 },
  { name: 'ctl', mode: 0o755 },
  { name: 'libcrac.so', mode: 0o755 },
  { name: 'crac.jar', mode: 0o644 },
] as const;

export async function readRuntimeEntries(plan: BuildPlan, nativeDir: string): Promise<readonly TarEntry[]> {
  const entries = [
    composeDirectory('opt'),
    composeDirectory('opt/crac'),
    composeFile('opt/crac/cold', composeColdCommand(plan.command)),
  ];
  for (const { name, mode } of PARTS) {
    const localPath = join(nativeDir, name);
    const { size } = await stat(localPath).catch((cause: unknown) => {
      throw new CracBuildError('INPUT_NOT_FOUND', `a native part of crac-build is missing: ${localPath}`, {
        hint: 'Run `npm run build`.',
        cause,
      });
    });
    entries.push(composeFile(`opt/crac/${name}`, { localPath, sizeBytes: size }, mode));
  }
  return entries;
}

/**
 * /opt/crac/cold, for the restorer, which reads no JSON: strings that end with NUL, first the decimal index in argv at
 * which `-D` options given to the container are inserted, then argv[0], argv[1], …
 */
export function composeColdCommand({ argv, jvmOptionIndex }: BuildPlan['command']): Buffer {
  return Buffer.from([String(jvmOptionIndex), ...argv].map((word) => `${word}\0`).join(''));
}
