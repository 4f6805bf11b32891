import { copyFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Checkpoint } from '../criu/checkpoint.ts';
import { readDump } from '../criu/read-dump.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import { type CarriedFile, carryTemporaryFiles } from '../restore-plan/carried-files.ts';
import { compileDump } from '../restore-plan/compile-dump.ts';
import { loadPageScanner } from '../restore-plan/page-scanner.ts';
import type { RestoreImage } from '../restore-plan/restore-image.ts';
import type { World } from '../world.ts';

/** Decodes CRIU's images and writes the restore plan and its memory into the work folder. */
export async function compileCheckpoint(plan: BuildPlan, checkpoint: Checkpoint, world: World): Promise<RestoreImage> {
  world.signal.throwIfAborted();
  const dump = readDump(checkpoint.imagesDir);
  world.report({
    type: 'stage-progress',
    stage: 'compile',
    text: `${dump.threads.length} threads, ${dump.mm.vmas.length} areas, ${dump.descriptors.length} descriptors`,
  });
  const { scanner, missing } = loadPageScanner(world.nativeDir);
  if (missing !== undefined)
    world.report({ type: 'stage-progress', stage: 'compile', text: `comparing pages in JavaScript: ${missing}` });
  const { memory, skip } = plan.checkpoint;
  const image = await compileDump(dump, checkpoint, memory, world.workDir, scanner, new Set(skip), carryTemporaryFiles);
  if (memory === 'map' && image.allocators.length > 0)
    world.report({
      type: 'stage-progress',
      stage: 'compile',
      text: `memory outside of the Java heap is read, not mapped: ${image.allocators.join(', ')} may count on zeros in what it gives back`,
    });
  const kept = {
    'the Java heap': image.unknownHeap,
    'the code cache': image.unknownCode,
    "HotSpot's arenas": image.unknownArenas,
    metaspace: image.unknownMetaspace,
    "malloc's memory": image.unknownMalloc,
  };
  for (const [what, why] of Object.entries(kept))
    if (why !== undefined)
      world.report({ type: 'stage-progress', stage: 'compile', text: `free parts of ${what} are kept: ${why}` });
  return { ...image, carriedFiles: await keepCarriedFiles(image.carriedFiles, join(world.workDir, 'carried')) };
}

/** The layers are made when the container, whose files they are, is gone. */
async function keepCarriedFiles(files: readonly CarriedFile[], dir: string): Promise<readonly CarriedFile[]> {
  return await Promise.all(
    files.map(async (file) => {
      const localPath = join(dir, file.imagePath);
      await mkdir(dirname(localPath), { recursive: true });
      await copyFile(file.localPath, localPath);
      return { ...file, localPath };
    }),
  );
}
