import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { locateBlob } from '../oci/blob-store.ts';
import type { Layer, OciImage } from '../oci/image.ts';
import { makeOpenFolder } from './open-to-all.ts';
import { composeOwner, isOwnerGone } from './owner.ts';
import { runOrFail, throwIfInterrupted } from './run-command.ts';
import { withStoreLock } from './store-lock.ts';

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
 *   used/HEX          what that layer is, as JSON (UsedLayer); the file's time tells when it was last needed
 *   images/ID/HEX     state and checkpoint layers, which no other image shares; ID/owner names the process, ID/uses lists the
 *                     layers that must stay for it
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
    await claimLayers(storeDir, ownFolder, image, signal);
    for (const layer of image.layers) {
      throwIfInterrupted(signal);
      const folder = join(isShared(layer) ? join(storeDir, 'layers') : ownFolder, nameLayer(layer));
      const partial = join(ownFolder, `partial-${nameLayer(layer)}`);
      await unpackLayer(locateBlob(image.blobDir, layer.digest), layer, { folder, partial }, whiteoutsTool, signal);
      layerFolders.push(relative(storeDir, folder));
    }
    return { image, layerFolders, ownFolder };
  } catch (error) {
    await rm(ownFolder, { recursive: true, force: true });
    throw error;
  }
}

function isShared({ kind }: Layer): boolean {
  return kind !== 'state' && kind !== 'checkpoint';
}

function nameLayer({ diffId }: Layer): string {
  return diffId.replace(/^sha256:/, '');
}

/** From here on, until the owner ends or `ownFolder` is removed, nobody removes these layers. */
async function claimLayers(storeDir: string, ownFolder: string, image: OciImage, signal: AbortSignal): Promise<void> {
  const shared = image.layers.filter(isShared);
  const title = image.config.labels['org.opencontainers.image.title'];
  await withStoreLock(storeDir, signal, async () => {
    await writeFile(join(ownFolder, 'uses'), shared.map(nameLayer).join('\n'));
    await mkdir(join(storeDir, 'used'), { recursive: true });
    for (const layer of shared) {
      const used: UsedLayer = {
        name: title === undefined ? layer.kind : `${layer.kind} of ${title}`,
        sizeBytes: layer.uncompressedBytes,
      };
      await writeFile(join(storeDir, 'used', nameLayer(layer)), JSON.stringify(used));
    }
  });
}

export interface UsedLayer {
  /** Of the image for which it was needed last. */
  readonly name: string;
  /** About what it takes on disk: that of its tar. */
  readonly sizeBytes: number;
}

/** Layers that running builds have claimed. To be asked, and believed, under the store's lock only. */
export async function readClaimedLayers(storeDir: string): Promise<ReadonlySet<string>> {
  const images = join(storeDir, 'images');
  const claimed = new Set<string>();
  for (const id of await readdir(images).catch(() => [])) {
    const [owner, uses] = await Promise.all(
      ['owner', 'uses'].map((name) => readFile(join(images, id, name), 'utf8').catch(() => '')),
    );
    if (!isOwnerGone(owner ?? '')) for (const name of (uses ?? '').split('\n')) claimed.add(name);
  }
  return claimed;
}

/** A folder is whole when it has its final name. */
async function unpackLayer(
  blob: string,
  layer: Layer,
  { folder, partial }: { readonly folder: string; readonly partial: string },
  whiteoutsTool: string,
  signal: AbortSignal,
): Promise<void> {
  if (await exists(folder)) return;
  await mkdir(dirname(folder), { recursive: true });
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
