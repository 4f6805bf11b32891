import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { locateBlob } from '../oci/blob-store.ts';
import type { Layer, OciImage } from '../oci/image.ts';
import { makeOpenFolder } from './open-to-all.ts';
import { composeOwner, isOwnerGone } from './owner.ts';
import { runOrFail, throwIfInterrupted } from './run-command.ts';

/** An image as folders that overlayfs can stack, the lowest first. */
export interface UnpackedImage {
  readonly image: OciImage;
  /** Relative to the store's folder, which keeps mount options short. */
  readonly layerFolders: readonly string[];
  /** What belongs to this image alone. */
  readonly ownFolder: string;
}

/**
 *   layers/HEX        base, app and runtime layers by diffId, kept between runs
 *   images/ID/HEX     state and checkpoint layers, which no other image shares; ID/owner names the process
 *   containers/ID/    what oci-container.ts makes
 */
export async function unpackImage(
  storeDir: string,
  image: OciImage,
  whiteoutsTool: string,
  signal: AbortSignal,
): Promise<UnpackedImage> {
  const ownFolder = await makeOwnedFolder(join(storeDir, 'images'), randomUUID());
  try {
    const layerFolders: string[] = [];
    for (const layer of image.layers) {
      throwIfInterrupted(signal);
      const isShared = layer.kind !== 'state' && layer.kind !== 'checkpoint';
      const folder = join(isShared ? join(storeDir, 'layers') : ownFolder, layer.diffId.replace(/^sha256:/, ''));
      await unpackLayer(locateBlob(image.blobDir, layer.digest), layer, folder, whiteoutsTool, signal);
      layerFolders.push(relative(storeDir, folder));
    }
    return { image, layerFolders, ownFolder };
  } catch (error) {
    await rm(ownFolder, { recursive: true, force: true });
    throw error;
  }
}

/** A folder is whole when it has its final name. */
async function unpackLayer(
  blob: string,
  layer: Layer,
  folder: string,
  whiteoutsTool: string,
  signal: AbortSignal,
): Promise<void> {
  if (await exists(folder)) return;
  const partial = `${folder}.partial-${randomUUID()}`;
  await makeOpenFolder(partial);
  try {
    const what = `unpacking the ${layer.kind} layer ${layer.digest}`;
    const tar = ['tar', '--extract', `--${layer.compression}`, '--file', blob, '--directory', partial];
    const options = ['--numeric-owner', '--same-owner', '--same-permissions', '--delay-directory-restore'];
    await runOrFail([...tar, ...options], what, { signal });
    await runOrFail([whiteoutsTool, partial], what, { signal });
    await rename(partial, folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error; // another run was faster
    });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

export async function makeOwnedFolder(parent: string, name: string): Promise<string> {
  const folder = join(parent, name);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'owner'), composeOwner());
  return folder;
}

/** Folders under `parent` whose owner has ended without removing them. */
export async function findAbandoned(parent: string): Promise<readonly string[]> {
  const names = await readdir(parent).catch(() => []);
  const abandoned: string[] = [];
  for (const name of names) {
    const owner = await readFile(join(parent, name, 'owner'), 'utf8').catch(() => '');
    if (isOwnerGone(owner)) abandoned.push(join(parent, name));
  }
  return abandoned;
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
