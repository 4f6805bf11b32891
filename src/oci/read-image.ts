import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CracBuildError } from '../errors.ts';
import { locateBlob } from './blob-store.ts';
import type { ImageConfig, Layer, OciImage } from './image.ts';
import { HISTORY_PREFIX } from './manifest.ts';
import {
  type ReadConfig,
  type ReadDescriptor,
  type ReadManifest,
  readConfig,
  readInnerIndex,
  readLayoutIndex,
  readManifest,
} from './read-layout.ts';
import { compressionOf, REF_NAME } from './spec.ts';

/** What points at several: OCI's index and Docker's manifest list. */
const INDEX_TYPE = /^application\/vnd\.(oci\.image\.index\.v1|docker\.distribution\.manifest\.list\.v2)\+json$/;
/** Docker's name for the same. */
const DOCKER_LAYER = 'application/vnd.docker.image.rootfs.diff.tar.gzip';
const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';

/** The one image in a layout that is for this platform, whoever wrote it. IMAGE_INVALID where there is none, or are several. */
export async function readLayoutImage(dir: string): Promise<OciImage> {
  const manifest = await readManifest(dir, (await findImage(dir)).digest);
  return await composeLayoutImage(dir, manifest, await readConfig(dir, manifest.config.digest));
}

/** The image of a manifest and a config in the layout `dir`. Layers that crac-build made have their kinds, as the history tells. */
export async function composeLayoutImage(dir: string, manifest: ReadManifest, config: ReadConfig): Promise<OciImage> {
  const creators = (config.history ?? []).filter(({ empty_layer }) => empty_layer !== true);
  const diffIds = config.rootfs.diff_ids;
  const layers: Layer[] = [];
  for (const [index, { digest, mediaType, size }] of manifest.layers.entries()) {
    const compression = compressionOf(mediaType === DOCKER_LAYER ? OCI_LAYER : mediaType);
    if (compression === undefined) throw invalid(dir, `a layer is of the type ${mediaType}`);
    const found = await stat(locateBlob(join(dir, 'blobs'), digest)).catch(() => undefined);
    const diffId = diffIds[index];
    if (found?.size !== size || diffId === undefined) throw invalid(dir, `the layer ${digest} is not whole`);
    layers.push({
      kind: kindOf(creators[index]?.created_by),
      compression,
      digest,
      diffId,
      sizeBytes: size,
      uncompressedBytes: 0,
    });
  }
  return { blobDir: join(dir, 'blobs'), layers, config: convertConfig(config) };
}

const KINDS: readonly Layer['kind'][] = ['base', 'dependencies', 'app', 'runtime', 'state', 'checkpoint'];

function kindOf(creator: string | undefined): Layer['kind'] {
  return KINDS.find((kind) => creator?.startsWith(`${HISTORY_PREFIX}${kind}`)) ?? 'base';
}

/** `name`: of one of several images, as `org.opencontainers.image.ref.name` says. */
export async function findImage(dir: string, name?: string): Promise<ReadDescriptor> {
  const images: ReadDescriptor[] = [];
  const all = (await readLayoutIndex(dir)).manifests;
  const named = name === undefined ? all : all.filter(({ annotations }) => annotations?.[REF_NAME] === name);
  if (named.length === 0 && name !== undefined) {
    const names = all.flatMap(({ annotations }) => annotations?.[REF_NAME] ?? []);
    throw invalid(dir, `it holds no image ${name}${names.length === 0 ? '' : `, but ${names.join(', ')}`}`);
  }
  for (const descriptor of named) {
    if (descriptor.artifactType !== undefined) continue; // says something of an image, and is none
    const isIndex = INDEX_TYPE.test(descriptor.mediaType);
    images.push(...(isIndex ? (await readInnerIndex(dir, descriptor.digest)).manifests : [descriptor]));
  }
  const fitting = images.filter(({ platform }) => platform === undefined || isOurs(platform));
  const [image, second] = fitting;
  if (image === undefined) throw invalid(dir, 'it holds no image for linux/amd64');
  if (second !== undefined) throw invalid(dir, `it holds ${fitting.length} images`);
  return image;
}

function isOurs({ architecture, os }: { readonly architecture: string; readonly os: string }): boolean {
  return architecture === 'amd64' && os === 'linux';
}

function convertConfig({ config = {} }: ReadConfig): ImageConfig {
  const variables = (config.Env ?? []).map((text): [string, string] => {
    const end = text.indexOf('=');
    return [text.slice(0, end), text.slice(end + 1)];
  });
  return {
    architecture: 'amd64',
    os: 'linux',
    user: config.User ?? '',
    environment: Object.fromEntries(variables),
    entrypoint: config.Entrypoint ?? [],
    command: config.Cmd ?? [],
    workingDir: config.WorkingDir || '/',
    ports: [],
    labels: {},
    stopSignal: 'SIGTERM',
  };
}

function invalid(dir: string, words: string): CracBuildError {
  return new CracBuildError('IMAGE_INVALID', `the image in ${dir} cannot be used: ${words}`, {
    hint: 'Copy the one image anew, with layers in gzip or zstd: `skopeo copy SOURCE oci:DIR`.',
  });
}
