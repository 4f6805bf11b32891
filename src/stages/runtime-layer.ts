import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CracBuildError } from '../errors.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import { composeDirectory, composeFile, type TarEntry } from '../tar/entry.ts';
import { keepFolders } from './app-layer.ts';

/** In /opt/crac of every image, from `world.nativeDir`. The restored JVM maps the last two: they must not change. */
const PARTS = [
  { name: 'restore', mode: 0o755 },
  { name: 'ctl', mode: 0o755 },
  { name: 'libcrac.so', mode: 0o755 },
  { name: 'crac.jar', mode: 0o644 },
] as const;

const AGENT_OPTION = '-agentpath:/opt/crac/libcrac.so';

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
  if (plan.checkpoint.policies !== undefined)
    entries.push(composeFile('opt/crac/policies.yaml', await readPolicies(plan.checkpoint.policies)));
  return keepFolders(entries, plan.base);
}

async function readPolicies(path: string): Promise<Buffer> {
  return await readFile(path).catch((cause: unknown) => {
    throw new CracBuildError('INPUT_NOT_FOUND', `the policies file ${path} cannot be read`, {
      hint: 'Correct --policies (checkpoint.policies).',
      cause,
    });
  });
}

/**
 * /opt/crac/cold, for the restorer, which reads no JSON: strings that end with NUL, first the decimal index in argv at
 * which `-D` options given to the container are inserted, then argv[0], argv[1], …
 *
 * Nobody takes a checkpoint of a cold start. The agent is told so, and Core.checkpointRestore() then says at once that it
 * is not supported instead of waiting for somebody to come. Spring's order to ask for a checkpoint is left out: Spring
 * gives up its start when it gets none.
 */
export function composeColdCommand({ argv, jvmOptionIndex, cold }: BuildPlan['command']): Buffer {
  if (cold !== undefined) return writeStrings([String(cold.jvmOptionIndex), ...cold.argv]);
  const jvm = argv.slice(0, jvmOptionIndex).flatMap((word) => {
    if (word === '-Dspring.context.checkpoint=onRefresh') return [];
    return word === AGENT_OPTION ? [`${AGENT_OPTION}=off`] : [word];
  });
  return writeStrings([String(jvm.length), ...jvm, ...argv.slice(jvmOptionIndex)]);
}

/** What the restorer reads of it: docs/formats/cold.md. */
const MAX_COLD_BYTES = 65_534;

function writeStrings(words: readonly string[]): Buffer {
  const bytes = Buffer.from(words.map((word) => `${word}\0`).join(''));
  if (bytes.length <= MAX_COLD_BYTES) return bytes;
  throw new CracBuildError(
    'INPUT_INVALID',
    `the JVM's command line has ${bytes.length} bytes, and may have ${MAX_COLD_BYTES}`,
    {
      hint: 'Name fewer jars in the class path: give the app as an executable jar whose manifest names its libraries.',
    },
  );
}
