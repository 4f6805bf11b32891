import { posix } from 'node:path';
import type { Checkpoint } from '../criu/checkpoint.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import { CARRIED_MTIME_SECONDS, type CarriedFile } from '../restore-plan/carried-files.ts';
import type { RestoreImage } from '../restore-plan/restore-image.ts';
import { composeDirectory, composeFile, type TarEntry } from '../tar/entry.ts';
import { VERSION } from '../version.ts';
import type { AnswerProbe } from '../warm-up/probe.ts';
import type { World } from '../world.ts';
import { keepFolders } from './app-layer.ts';
import { isImageApp } from './image-app.ts';

/** In the image's root. */
export const CHECKPOINT_FOLDER = 'opt/crac/checkpoint';

/** The compiled checkpoint, readable by any user: the image may run as any. */
export function composeCheckpointEntries(
  plan: BuildPlan,
  checkpoint: Checkpoint,
  restoreImage: RestoreImage,
  world: Pick<World, 'toolbox'>,
): readonly TarEntry[] {
  const { planFile, planBytes, memFile, memBytes, carriedFiles } = restoreImage;
  const facts = composeFacts(plan, checkpoint, restoreImage, world.toolbox.criuVersion);
  const entries = [
    composeDirectory('opt'),
    composeDirectory('opt/crac'),
    composeDirectory(CHECKPOINT_FOLDER),
    composeFile(`${CHECKPOINT_FOLDER}/facts.json`, Buffer.from(`${JSON.stringify(facts, null, 2)}\n`)),
    composeFile(`${CHECKPOINT_FOLDER}/mem.bin`, { localPath: memFile, sizeBytes: memBytes }),
    composeFile(`${CHECKPOINT_FOLDER}/plan.bin`, { localPath: planFile, sizeBytes: planBytes }),
    ...composeCarriedEntries(carriedFiles),
  ];
  return keepFolders(entries, plan.base);
}

/** With the time that the restorer compares. */
function composeCarriedEntries(files: readonly CarriedFile[]): readonly TarEntry[] {
  const entries = new Map<string, TarEntry>();
  for (const { imagePath, localPath, sizeBytes } of files) {
    const path = imagePath.slice(1);
    const folder = posix.dirname(path);
    for (const parent of [posix.dirname(folder), folder]) entries.set(parent, composeDirectory(parent));
    entries.set(path, {
      ...composeFile(path, { localPath, sizeBytes }, 0o755),
      mtimeSeconds: CARRIED_MTIME_SECONDS,
    });
  }
  return [...entries.values()];
}

/** facts.json: what was true at the checkpoint, for people and for `inspect`. The restorer does not read it. */
export function composeFacts(
  plan: BuildPlan,
  { ready, cpu }: Checkpoint,
  restoreImage: RestoreImage,
  criuVersion: string,
): Record<string, unknown> {
  const {
    planBytes,
    memBytes,
    readAheadBytes,
    populatedBytes,
    threadCount,
    mappingCount,
    droppedPages,
    byCause,
    allocators,
  } = restoreImage;
  const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, '0');
  return {
    format: 1,
    name: plan.name,
    builderVersion: VERSION,
    criuVersion,
    javaVersion: ready.javaVersion,
    gc: ready.gc,
    coldCommand: plan.command,
    memory: plan.checkpoint.memory,
    /** What `crac-build verify` asks; null: nobody asks this app anything. */
    answer: describeAnswer(plan.verify.answer) ?? null,
    /** Whose files may be for its own user only. */
    isImageApp: isImageApp(plan),
    /** Because of these, more is read with `memory: map`. */
    allocators,
    sizes: {
      planBytes,
      memBytes,
      readAheadBytes,
      populatedBytes,
      threadCount,
      mappingCount,
      byCause,
      droppedPages,
    },
    /** What the JVM did to be small, and what was left out of that and of the compile step. */
    steps: ready.steps,
    /** What lived in the Java heap. */
    classes: ready.classes ?? null,
    skippedSteps: plan.checkpoint.skip,
    requiredCpu: restoreImage.requiredCpu,
    /** What the build CPU had: "leaf subleaf eax ebx ecx edx", as `ctl cpu` prints them. */
    cpu: cpu.map(({ leaf, subleaf, registers }) => [leaf, subleaf, ...registers].map(hex).join(' ')),
  };
}

/** Without the path of a certificate, which is one of the build machine. */
function describeAnswer(answer: AnswerProbe | undefined): AnswerProbe | undefined {
  if (answer?.kind !== 'http' || answer.tls === undefined) return answer;
  const { ca: _, ...tls } = answer.tls;
  return { ...answer, tls };
}
