import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspectJdk } from '../../../src/base/inspect-jdk.ts';
import { connectDocker } from '../../../src/engine/docker.ts';
import { inspectSource } from '../../../src/jar/inspect-source.ts';
import { planBuild } from '../../../src/plan/plan-build.ts';
import { takeBaseLayers } from '../../../src/stages/base-layer.ts';
import { composeImageConfig } from '../../../src/stages/image-config.ts';
import type { World } from '../../../src/world.ts';

/** An image with the JDK that `jar` needs, and nothing else, in the daemon: what FROM names where no registry is reached. */
export async function loadDockerBase(jdkPath: string, jar: string, reference: string): Promise<AsyncDisposable> {
  const workDir = await mkdtemp(join(tmpdir(), 'crac-docker-base-'));
  const { signal } = new AbortController();
  try {
    const jdk = await inspectJdk(jdkPath);
    const plan = planBuild({}, { source: await inspectSource({ jar }), jdk: { ...jdk, hotSpot: true } });
    const blobDir = join(workDir, 'blobs');
    const cacheDir = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'crac-build');
    const world = { workDir, cacheDir, signal, report: () => undefined } as unknown as World;
    const layers = await takeBaseLayers(plan, blobDir, world);
    const config = { ...composeImageConfig(plan), user: '', entrypoint: [], command: ['java'], workingDir: '/' };
    const docker = await connectDocker(process.env, signal);
    return await docker.loadImage({ blobDir, layers, config }, reference, signal);
  } finally {
    await rm(workDir, { recursive: true, force: true });
  }
}
