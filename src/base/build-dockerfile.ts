import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { buildWithBuildah } from '../engine/buildah.ts';
import { buildWithDocker } from '../engine/docker-build.ts';
import type { BuildProgress, DockerfileBuild } from '../engine/dockerfile-build.ts';
import { isCracBuildError } from '../errors.ts';
import type { ImageAccess, ImageAddress } from './obtain-image.ts';

export interface BuiltImage {
  /** For people. */
  readonly name: string;
  /** Docker's is its id: another build may take its name away. */
  readonly address: ImageAddress;
}

/** Builds the Dockerfile with what the engine has for it: Docker, or buildah beside the oci engine. `auto`: the first that answers. */
export async function buildDockerfile(
  build: Omit<DockerfileBuild, 'tag'>,
  engine: 'auto' | 'docker' | 'oci',
  access: Pick<ImageAccess, 'workDir' | 'environment' | 'report' | 'signal'>,
): Promise<BuiltImage> {
  const { workDir, environment, report, signal } = access;
  const tagged: DockerfileBuild = { ...build, tag: composeTag(build) };
  const progress: BuildProgress = { signal, tell: (text) => report({ type: 'stage-progress', stage: 'plan', text }) };
  if (engine !== 'oci') {
    try {
      const id = await buildWithDocker(tagged, environment, progress);
      return { name: `docker:${tagged.tag}`, address: { kind: 'docker', reference: id } };
    } catch (error) {
      const isNamed = engine === 'docker' || Boolean(environment['DOCKER_HOST']);
      if (isNamed || !isCracBuildError(error, 'ENGINE_UNAVAILABLE')) throw error;
    }
  }
  const dir = join(workDir, 'dockerfile-image');
  await buildWithBuildah(tagged, dir, environment, progress);
  return { name: `oci:${dir}:latest`, address: { kind: 'oci', dir, name: 'latest' } };
}

/** One for each Dockerfile, context, target and build arguments: builds of different apps do not take each other's name away. */
export function composeTag({ file, context, target = '', buildArguments }: Omit<DockerfileBuild, 'tag'>): string {
  const key = createHash('sha256')
    .update(JSON.stringify([file, context, target, Object.entries(buildArguments).sort()]))
    .digest('hex')
    .slice(0, 16);
  return `crac-build-dockerfile:${key}`;
}
