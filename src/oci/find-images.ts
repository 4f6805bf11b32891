import { CracBuildError } from '../errors.ts';
import {
  type ReadConfig,
  type ReadDescriptor,
  type ReadManifest,
  readConfig,
  readInnerIndex,
  readLayoutIndex,
  readManifest,
} from './read-layout.ts';
import { isConfigType, isIndexType, type Platform, REF_NAME } from './spec.ts';

/** One image for one platform in a layout. */
export interface FoundImage {
  readonly descriptor: ReadDescriptor;
  readonly manifest: ReadManifest;
  readonly config: ReadConfig;
  /** As the config tells it: a descriptor may leave it out. */
  readonly platform: Platform;
  /** Absent: the layout gives it no name. */
  readonly tag?: string;
}

/**
 * The images of a layout under `tag`, or all, with those that an index in it points at. What is no image, such as a signature or
 * an attestation, is left out.
 */
export async function listImages(dir: string, tag?: string): Promise<readonly FoundImage[]> {
  const found: FoundImage[] = [];
  for (const descriptor of (await readLayoutIndex(dir)).manifests) {
    const name = descriptor.annotations?.[REF_NAME];
    if (tag !== undefined && name !== tag) continue;
    for (const image of await readImages(dir, descriptor))
      found.push({ ...image, ...(name !== undefined && { tag: name }) });
  }
  return found;
}

async function readImages(dir: string, descriptor: ReadDescriptor): Promise<readonly FoundImage[]> {
  if (isIndexType(descriptor.mediaType)) {
    const { manifests } = await readInnerIndex(dir, descriptor.digest);
    return (await Promise.all(manifests.map((inner) => readImages(dir, inner)))).flat();
  }
  if (descriptor.artifactType !== undefined) return [];
  const manifest = await readManifest(dir, descriptor.digest);
  if (!isConfigType(manifest.config.mediaType) || descriptor.platform?.os === 'unknown') return [];
  const config = await readConfig(dir, manifest.config.digest);
  return [{ descriptor, manifest, config, platform: platformOf(config) }];
}

function platformOf({ architecture, os, variant }: ReadConfig): Platform {
  return { architecture, os, ...(variant !== undefined && { variant }) };
}

/** "linux/arm64/v8" */
export function renderPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant === undefined ? [] : [variant])].join('/');
}

/** The one image under `tag`, or the only one; of several platforms the one for this machine's. */
export async function findImage(dir: string, tag?: string): Promise<FoundImage> {
  const images = await listImages(dir, tag);
  const ours = images.filter(({ platform }) => platform.os === 'linux' && platform.architecture === 'amd64');
  const [image, second] = images.length === 1 ? images : ours;
  if (image !== undefined && second === undefined) return image;
  const names = (await readLayoutIndex(dir)).manifests.flatMap(({ annotations }) => annotations?.[REF_NAME] ?? []);
  const one = `one image${tag === undefined ? '' : ` ${tag}`}${images.length === 0 ? '' : ' for linux/amd64'}`;
  throw new CracBuildError('INPUT_NOT_FOUND', `${dir} does not hold ${one}: there are ${images.length}`, {
    hint:
      names.length === 0
        ? 'Give a layout that was built.'
        : `Name one: ${names.map((name) => `oci:${dir}:${name}`).join(', ')}.`,
  });
}
