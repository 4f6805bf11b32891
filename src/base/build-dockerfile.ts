import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { buildWithBuildah } from '../engine/buildah.ts';
import { buildWithDocker } from '../engine/docker-build.ts';
import type { BuildProgress, DockerfileBuild } from '../engine/dockerfile-build.ts';
import { isCracBuildError } from '../errors.ts';
import type { ImageAccess, ImageAddress } from './obtain-image.ts';

/** Builds the Dockerfile with what the engine has for it: Docker, or buildah beside the oci engine. `auto`: the first that answers. */
export async function buildDockerfile(
  build: Omit<DockerfileBuild, 'tag'>,
  engine: 'auto' | 'docker' | 'oci',
  access: Pick<ImageAccess, 'workDir' | 'environment' | 'report' | 'signal'>,
): Promise<ImageAddress> {
  const { workDir, environment, report, signal } = access;
  const tagged: DockerfileBuild = { ...build, tag: composeTag(build) };
  const progress: BuildProgress = { signal, tell: (text) => report({ type: 'stage-progress', stage: 'plan', text }) };
  if (engine !== 'oci') {
    try {
      await buildWithDocker(tagged, environment, progress);
      return { kind: 'docker', reference: tagged.tag };
    } catch (error) {
      const isNamed = engine === 'docker' || Boolean(environment['DOCKER_HOST']);
      if (isNamed || !isCracBuildError(error, 'ENGINE_UNAVAILABLE')) throw error;
    }
  }
  const dir = join(workDir, 'dockerfile-image');
  await buildWithBuildah(tagged, dir, environment, progress);
  return { kind: 'oci', dir, name: 'latest' };
}

/** One for each Dockerfile, context and target: builds of different apps do not take each other's name away. */
function composeTag({ file, context, target = '' }: Omit<DockerfileBuild, 'tag'>): string {
  const key = createHash('sha256')
    .update(JSON.stringify([file, context, target]))
    .digest('hex')
    .slice(0, 16);
  return `crac-build-dockerfile:${key}`;
}
