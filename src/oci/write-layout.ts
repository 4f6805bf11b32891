import { randomUUID } from 'node:crypto';
import { constants, copyFile, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { CracBuildError } from '../errors.ts';
import { locateBlob } from './blob-store.ts';
import type { OciImage } from './image.ts';
import { composeDocuments } from './manifest.ts';
import { type ReadIndex, readLayoutIndex, readManifest } from './read-layout.ts';
import { explainNoSpace } from './space.ts';
import { type Descriptor, type Index, LAYOUT_FILE, MEDIA_TYPES, REF_NAME } from './spec.ts';

/**
 * Writes the image into the image layout `dir` under `tag` and returns the manifest's digest.
 *
 * A new layout is made beside `dir` and renamed when it is whole. In an existing one the blobs are added first and
 * index.json is replaced at once, so that whoever reads it finds the old image or the new one; other tags stay, and what
 * only the replaced image used is deleted at the end. A folder with anything else in it is left alone: PUBLISH_FAILED.
 *
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
 */
export async function writeLayout(image: OciImage, dir: string, tag: string, signal?: AbortSignal): Promise<string> {
  const target = resolve(dir);
  try {
    return (await isNew(target))
      ? await createLayout(image, target, tag, signal)
      : await updateLayout(image, target, tag, signal);
  } catch (error) {
    throw explainNoSpace(error, `writing the image to ${target}`);
  }
}

/** Rejects as writeLayout() would for what is at `dir` already, and writes nothing. */
export async function checkLayoutTarget(dir: string): Promise<void> {
  const target = resolve(dir);
  if (!(await isNew(target))) await readExisting(target);
}

async function createLayout(image: OciImage, target: string, tag: string, signal?: AbortSignal): Promise<string> {
  const partial = join(dirname(target), `.${basename(target)}.partial-${randomUUID()}`);
  try {
    await mkdir(join(partial, 'blobs/sha256'), { recursive: true });
    const descriptor = await addBlobs(image, partial, tag);
    await writeFile(join(partial, LAYOUT_FILE.name), LAYOUT_FILE.content);
    await writeFile(join(partial, 'index.json'), renderIndex([descriptor]));
    signal?.throwIfAborted();
    await rename(partial, target); // replaces an empty folder
    return descriptor.digest;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

async function updateLayout(image: OciImage, target: string, tag: string, signal?: AbortSignal): Promise<string> {
  const before = await readExisting(target);
  const known = new Set(await readdir(join(target, 'blobs/sha256')).catch(() => []));
  let indexIsNew = false;
  try {
    const descriptor = await addBlobs(image, target, tag);
    const kept = before.manifests.filter((entry) => entry.annotations?.[REF_NAME] !== tag) as Descriptor[];
    signal?.throwIfAborted();
    await writeWhole(join(target, 'index.json'), Buffer.from(renderIndex([...kept, descriptor])));
    indexIsNew = true;
    await deleteUnused(target, before);
    return descriptor.digest;
  } catch (error) {
    if (!indexIsNew) await deleteAdded(target, image, known);
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

async function addBlobs(image: OciImage, dir: string, tag: string): Promise<Descriptor> {
  const { config, configDigest, manifest, manifestDigest } = composeDocuments(image);
  await mkdir(join(dir, 'blobs/sha256'), { recursive: true });
  for (const { digest, sizeBytes } of image.layers) {
    const target = locateBlob(join(dir, 'blobs'), digest);
    const there = await stat(target).catch(() => undefined);
    if (there?.size !== sizeBytes) await copyWhole(locateBlob(image.blobDir, digest), target);
  }
  await writeWhole(locateBlob(join(dir, 'blobs'), configDigest), config);
  await writeWhole(locateBlob(join(dir, 'blobs'), manifestDigest), manifest);
  return {
    mediaType: MEDIA_TYPES.manifest,
    digest: manifestDigest,
    size: manifest.length,
    annotations: { [REF_NAME]: tag },
    platform: { architecture: image.config.architecture, os: image.config.os },
  };
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

/** After a failure: what this image added, and nothing else. */
async function deleteAdded(dir: string, image: OciImage, known: ReadonlySet<string>): Promise<void> {
  const { configDigest, manifestDigest } = composeDocuments(image);
  for (const digest of [manifestDigest, configDigest, ...image.layers.map((layer) => layer.digest)]) {
    if (!known.has(digest.slice('sha256:'.length))) await rm(locateBlob(join(dir, 'blobs'), digest), { force: true });
  }
}

/** Deletes what the old index needed and the new one does not; nothing where either holds what we cannot follow. */
async function deleteUnused(dir: string, before: ReadIndex): Promise<void> {
  const after = await listBlobs(dir, await readLayoutIndex(dir));
  const old = await listBlobs(dir, before);
  if (after === undefined || old === undefined) return;
  for (const digest of old) {
    if (!after.has(digest)) await rm(locateBlob(join(dir, 'blobs'), digest), { force: true });
  }
}

async function listBlobs(dir: string, index: ReadIndex): Promise<ReadonlySet<string> | undefined> {
  const digests = new Set<string>();
  for (const { digest, mediaType } of index.manifests) {
    const manifest =
      mediaType === MEDIA_TYPES.manifest ? await readManifest(dir, digest).catch(() => undefined) : undefined;
    if (manifest === undefined) return undefined;
    for (const blob of [digest, manifest.config.digest, ...manifest.layers.map((layer) => layer.digest)])
      digests.add(blob);
  }
  return digests;
}
