import { mkdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CracBuildError } from '../errors.ts';
import type { Engine } from './engine.ts';
import { launchOciContainer, type OciContext, removeOciContainer } from './oci-launch.ts';
import { openOciNetwork } from './oci-network.ts';
import { launchOciProcess } from './oci-process.ts';
import { findRuntime } from './oci-runtime-command.ts';
import { findAbandoned, type UnpackedImage, unpackImage } from './oci-store.ts';

export interface OciRuntimeOptions {
  readonly cacheDir: string;
  readonly nativeDir: string;
  readonly signal: AbortSignal;
  /** In order of preference. */
  readonly runtimes?: readonly ('crun' | 'runc')[];
}

/** crun or runc on unpacked layers and overlayfs: no daemon. There is no seccomp filter here, whatever is asked for. */
export async function connectOciRuntime(options: OciRuntimeOptions): Promise<Engine> {
  const storeDir = join(options.cacheDir, 'oci-engine');
  await mkdir(storeDir, { recursive: true });
  const runtime = await findRuntime(options.runtimes ?? ['crun', 'runc'], join(storeDir, 'state'), options.signal);
  const context: OciContext = { storeDir, runtime, nativeDir: options.nativeDir };
  await removeLeftovers(context);
  const images = new Map<string, UnpackedImage>();
  return {
    name: 'oci',
    description: `${runtime.name} ${runtime.version} with overlayfs, without a seccomp filter`,
    layerCompressions: ['gzip', 'zstd'],
    async loadImage(image, reference, signal) {
      const unpacked = await unpackImage(storeDir, image, join(options.nativeDir, 'whiteouts'), signal);
      images.set(reference, unpacked);
      let done = false;
      return {
        reference,
        // Nothing outlives this process here: the unpacked layers are a cache.
        keep: () => undefined,
        async [Symbol.asyncDispose]() {
          if (done) return;
          done = true;
          if (images.get(reference) === unpacked) images.delete(reference);
          await rm(unpacked.ownFolder, { recursive: true, force: true });
        },
      };
    },
    async obtainImage(reference) {
      if (images.has(reference)) return reference;
      throw new CracBuildError('ENGINE_FAILED', `the oci engine has no image ${reference}, and asks no registry`, {
        hint: `Copy it beforehand, for instance with \`skopeo copy docker://${reference} oci:DIR\`, and give it as oci:DIR; or use --engine docker.`,
      });
    },
    openNetwork: (_, signal) => openOciNetwork(join(options.nativeDir, 'netns'), signal),
    launchProcess: (spec, signal) => launchOciProcess(context, spec, signal),
    async launchContainer(spec, signal) {
      const unpacked = images.get(spec.image);
      if (unpacked === undefined) {
        throw new CracBuildError('ENGINE_FAILED', `there is no image ${spec.image}`, {
          hint: 'The oci engine knows only images that were loaded into it in this run.',
        });
      }
      return await launchOciContainer(context, unpacked, spec, signal);
    },
  };
}

/** What runs on this machine left behind when they were killed. */
async function removeLeftovers(context: OciContext): Promise<void> {
  for (const folder of await findAbandoned(join(context.storeDir, 'containers'))) {
    await removeOciContainer(context, folder, basename(folder)).catch(() => undefined);
  }
  for (const folder of await findAbandoned(join(context.storeDir, 'images'))) {
    await rm(folder, { recursive: true, force: true });
  }
}
