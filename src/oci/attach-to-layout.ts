import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Artifact } from './artifact.ts';
import { locateBlob } from './blob-store.ts';
import { type ReadDescriptor, type ReadIndex, readInnerIndex, readLayoutIndex, readManifest } from './read-layout.ts';
import { explainNoSpace } from './space.ts';
import { isIndexType, MEDIA_TYPES } from './spec.ts';

/**
 * Puts artifacts beside the image of `imageDigest` in a layout, in the place of those it had. They follow the images in
 * index.json and have no name there: whoever looks for images by name, or takes the only one for this platform, does not
 * meet them. What belongs to images that are no longer in the layout goes. `mark`: annotations that the image's own entry gets.
 */
export async function attachToLayout(
  dir: string,
  imageDigest: string,
  artifacts: readonly Artifact[],
  mark: Readonly<Record<string, string>> = {},
): Promise<void> {
  const blobDir = join(dir, 'blobs');
  try {
    for (const { blobs, manifest, manifestDigest } of artifacts) {
      for (const { digest, content } of blobs) await replaceFile(locateBlob(blobDir, digest), content);
      await replaceFile(locateBlob(blobDir, manifestDigest), manifest);
    }
    const before = await readLayoutIndex(dir);
    const { kept, dropped } = await sortOut(dir, before, imageDigest);
    const added = artifacts.map(({ manifest, manifestDigest, artifactType, annotations }) => ({
      mediaType: MEDIA_TYPES.manifest,
      digest: manifestDigest,
      size: manifest.length,
      ...(artifactType === undefined ? {} : { artifactType }),
      ...(annotations === undefined ? {} : { annotations }),
    }));
    if (dropped.length === 0 && added.length === 0) return;
    const manifests = kept.map((entry) =>
      entry.digest === imageDigest ? { ...entry, ...annotate(entry, mark) } : entry,
    );
    await writeIndex(dir, { ...before, manifests: [...manifests, ...added] });
    await deleteDropped(dir, dropped);
  } catch (error) {
    throw explainNoSpace(error, `writing what belongs to the image to ${dir}`);
  }
}

function annotate({ annotations }: ReadDescriptor, mark: Readonly<Record<string, string>>): Partial<ReadDescriptor> {
  return Object.keys(mark).length === 0 ? {} : { annotations: { ...annotations, ...mark } };
}

async function sortOut(
  dir: string,
  { manifests }: ReadIndex,
  imageDigest: string,
): Promise<{ readonly kept: readonly ReadDescriptor[]; readonly dropped: readonly ReadDescriptor[] }> {
  const images = manifests.filter(isImage);
  const present = await listPresent(dir, images);
  const kept = [...images];
  const dropped: ReadDescriptor[] = [];
  for (const artifact of manifests.filter((entry) => !isImage(entry))) {
    const subject = await readSubject(dir, artifact);
    const isGone = subject !== undefined && (subject === imageDigest || present?.has(subject) === false);
    (isGone ? dropped : kept).push(artifact);
  }
  return { kept, dropped };
}

/** With what indexes hold; undefined where one of these cannot be read. */
async function listPresent(dir: string, entries: readonly ReadDescriptor[]): Promise<ReadonlySet<string> | undefined> {
  const present = new Set<string>();
  for (const { digest, mediaType } of entries) {
    present.add(digest);
    if (!isIndexType(mediaType)) continue;
    const index = await readInnerIndex(dir, digest).catch(() => undefined);
    const inside = index && (await listPresent(dir, index.manifests));
    if (inside === undefined) return undefined;
    for (const one of inside) present.add(one);
  }
  return present;
}

/** Not what says something of one. */
export function isImage({ artifactType }: ReadDescriptor): boolean {
  return artifactType === undefined;
}

/** Undefined: it says nothing that we could read, and stays. */
async function readSubject(dir: string, { digest }: ReadDescriptor): Promise<string | undefined> {
  const manifest = await readManifest(dir, digest).catch(() => undefined);
  return manifest?.subject?.digest;
}

async function writeIndex(dir: string, index: ReadIndex): Promise<void> {
  await replaceFile(join(dir, 'index.json'), JSON.stringify(index));
}

/** Blobs of the dropped that nothing in the layout needs any more; none where it holds what we cannot follow. */
async function deleteDropped(dir: string, dropped: readonly ReadDescriptor[]): Promise<void> {
  const manifests = await listPresent(dir, (await readLayoutIndex(dir)).manifests);
  if (manifests === undefined) return;
  const needed = new Set(manifests);
  for (const digest of manifests) {
    const content = await readFile(locateBlob(join(dir, 'blobs'), digest), 'utf8').catch(() => '');
    for (const [found] of content.matchAll(/sha256:[0-9a-f]{64}/g)) needed.add(found);
  }
  for (const { digest } of dropped) {
    const manifest = await readManifest(dir, digest).catch(() => undefined);
    if (manifest === undefined) continue;
    for (const blob of [digest, manifest.config.digest, ...manifest.layers.map((layer) => layer.digest)])
      if (!needed.has(blob)) await rm(locateBlob(join(dir, 'blobs'), blob), { force: true });
  }
}

async function replaceFile(path: string, content: Buffer | string): Promise<void> {
  const partial = `${path}.partial-${randomUUID()}`;
  try {
    await writeFile(partial, content);
    await rename(partial, path);
  } finally {
    await rm(partial, { force: true });
  }
}
