import { randomUUID } from 'node:crypto';
import { constants, copyFile, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { CracBuildError } from '../errors.ts';
import { type Blob, locateBlob } from './blob-store.ts';
import type { OciImage } from './image.ts';
import { composeDocuments } from './manifest.ts';
import { type ReadIndex, readInnerIndex, readLayoutIndex, readManifest } from './read-layout.ts';
import { explainNoSpace } from './space.ts';
import {
  type Descriptor,
  DOCKER_TYPES,
  type Index,
  isIndexType,
  isManifestType,
  LAYOUT_FILE,
  MEDIA_TYPES,
  REF_NAME,
} from './spec.ts';

/** What is to bear a name in a layout: an image or an index. */
export interface LayoutContent {
  readonly descriptor: Descriptor;
  /** All that it needs, its own blob among them. */
  readonly blobs: readonly LayoutBlob[];
}

export type LayoutBlob = Blob & {
  /** The content, or the path of a file with it. */
  readonly content: Buffer | string;
};

export function composeLayoutContent(image: OciImage): LayoutContent {
  const { config, configDigest, manifest, manifestDigest } = composeDocuments(image);
  const { architecture, os } = image.config;
  return {
    descriptor: {
      mediaType: image.format === 'docker' ? DOCKER_TYPES.manifest : MEDIA_TYPES.manifest,
      digest: manifestDigest,
      size: manifest.length,
      platform: { architecture, os },
    },
    blobs: [
      ...image.layers.map(({ digest, sizeBytes }) => ({
        digest,
        sizeBytes,
        content: locateBlob(image.blobDir, digest),
      })),
      { digest: configDigest, sizeBytes: config.length, content: config },
      { digest: manifestDigest, sizeBytes: manifest.length, content: manifest },
    ],
  };
}

/** Writes the image into the image layout `dir` under `tag` and returns the manifest's digest. */
export async function writeLayout(image: OciImage, dir: string, tag: string, signal?: AbortSignal): Promise<string> {
  return await writeToLayout(composeLayoutContent(image), dir, tag, signal);
}

/**
 * Writes the content into the image layout `dir` under `tag` and returns its digest.
 *
 * A new layout is made beside `dir` and renamed when it is whole. In an existing one the blobs are added first and
 * index.json is replaced at once, so that whoever reads it finds the old image or the new one; other tags stay, and what
 * only the replaced image used is deleted at the end. A folder with anything else in it is left alone: PUBLISH_FAILED.
 *
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
 */
export async function writeToLayout(
  content: LayoutContent,
  dir: string,
  tag: string,
  signal?: AbortSignal,
): Promise<string> {
  const target = resolve(dir);
  try {
    return (await isNew(target))
      ? await createLayout(content, target, tag, signal)
      : await updateLayout(content, target, tag, signal);
  } catch (error) {
    throw explainNoSpace(error, `writing the image to ${target}`);
  }
}

/** Rejects as writeLayout() would for what is at `dir` already, and writes nothing. */
export async function checkLayoutTarget(dir: string): Promise<void> {
  const target = resolve(dir);
  if (!(await isNew(target))) await readExisting(target);
}

async function createLayout(
  content: LayoutContent,
  target: string,
  tag: string,
  signal?: AbortSignal,
): Promise<string> {
  const partial = join(dirname(target), `.${basename(target)}.partial-${randomUUID()}`);
  try {
    await mkdir(join(partial, 'blobs/sha256'), { recursive: true });
    const descriptor = await addBlobs(content, partial, tag);
    await writeFile(join(partial, LAYOUT_FILE.name), LAYOUT_FILE.content);
    await writeFile(join(partial, 'index.json'), renderIndex([descriptor]));
    signal?.throwIfAborted();
    await rename(partial, target); // replaces an empty folder
    return descriptor.digest;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

async function updateLayout(
  content: LayoutContent,
  target: string,
  tag: string,
  signal?: AbortSignal,
): Promise<string> {
  const before = await readExisting(target);
  const known = new Set(await readdir(join(target, 'blobs/sha256')).catch(() => []));
  let indexIsNew = false;
  try {
    const descriptor = await addBlobs(content, target, tag);
    const kept = before.manifests.filter((entry) => entry.annotations?.[REF_NAME] !== tag) as Descriptor[];
    signal?.throwIfAborted();
    await writeWhole(join(target, 'index.json'), Buffer.from(renderIndex([...kept, descriptor])));
    indexIsNew = true;
    await deleteUnused(target, before);
    return descriptor.digest;
  } catch (error) {
    if (!indexIsNew) await deleteAdded(target, content, known);
    throw error;
  }
}

async function readExisting(target: string): Promise<ReadIndex> {
  return await readLayoutIndex(target).catch((cause: unknown) => {
    throw new CracBuildError('PUBLISH_FAILED', `${target} exists and is no image layout: ${(cause as Error).message}`, {
      hint: 'Choose another folder for the output, or empty this one.',
      cause,
    });
  });
}

async function isNew(target: string): Promise<boolean> {
  const found = await stat(target).catch(() => undefined);
  if (found === undefined) return true;
  if (found.isDirectory()) return (await readdir(target)).length === 0;
  throw new CracBuildError('PUBLISH_FAILED', `${target} exists and is not a folder`, {
    hint: 'Choose another path for the output.',
  });
}

async function addBlobs({ descriptor, blobs }: LayoutContent, dir: string, tag: string): Promise<Descriptor> {
  await mkdir(join(dir, 'blobs/sha256'), { recursive: true });
  for (const { digest, sizeBytes, content } of blobs) {
    const target = locateBlob(join(dir, 'blobs'), digest);
    if (Buffer.isBuffer(content)) await writeWhole(target, content);
    else {
      const there = await stat(target).catch(() => undefined);
      if (there?.size !== sizeBytes) await copyWhole(content, target);
    }
  }
  return { ...descriptor, annotations: { ...descriptor.annotations, [REF_NAME]: tag } };
}

function renderIndex(manifests: readonly Descriptor[]): string {
  const index: Index = { schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests };
  return JSON.stringify(index);
}

async function copyWhole(from: string, to: string): Promise<void> {
  await renameWhenWhole(to, (partial) => copyFile(from, partial, constants.COPYFILE_FICLONE));
}

async function writeWhole(path: string, content: Buffer): Promise<void> {
  await renameWhenWhole(path, (partial) => writeFile(partial, content));
}

async function renameWhenWhole(path: string, write: (partial: string) => Promise<void>): Promise<void> {
  const partial = join(dirname(path), `.partial-${randomUUID()}`);
  try {
    await write(partial);
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

/** After a failure: what was added, and nothing else. */
async function deleteAdded(dir: string, { blobs }: LayoutContent, known: ReadonlySet<string>): Promise<void> {
  for (const { digest } of blobs) {
    if (!known.has(digest.slice('sha256:'.length))) await rm(locateBlob(join(dir, 'blobs'), digest), { force: true });
  }
}

/** Deletes what the old index needed and the new one does not; nothing where either holds what we cannot follow. */
async function deleteUnused(dir: string, before: ReadIndex): Promise<void> {
  const after = await listBlobs(dir, (await readLayoutIndex(dir)).manifests);
  const old = await listBlobs(dir, before.manifests);
  if (after === undefined || old === undefined) return;
  for (const digest of old) {
    if (!after.has(digest)) await rm(locateBlob(join(dir, 'blobs'), digest), { force: true });
  }
}

async function listBlobs(dir: string, manifests: ReadIndex['manifests']): Promise<ReadonlySet<string> | undefined> {
  const digests = new Set<string>();
  for (const { digest, mediaType } of manifests) {
    const needed = await listNeeded(dir, digest, mediaType).catch(() => undefined);
    if (needed === undefined) return undefined;
    for (const blob of [digest, ...needed]) digests.add(blob);
  }
  return digests;
}

async function listNeeded(dir: string, digest: string, mediaType: string): Promise<Iterable<string> | undefined> {
  if (isIndexType(mediaType)) return await listBlobs(dir, (await readInnerIndex(dir, digest)).manifests);
  if (!isManifestType(mediaType)) return undefined;
  const { config, layers } = await readManifest(dir, digest);
  return [config, ...layers].map((blob) => blob.digest);
}
