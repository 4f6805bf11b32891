import type { Readable } from 'node:stream';
import { composeFile, type TarEntry } from '../tar/entry.ts';
import { openTar } from '../tar/write-tar.ts';
import { locateBlob } from './blob-store.ts';
import type { Layer, OciImage } from './image.ts';
import { composeDocuments } from './manifest.ts';

/**
 * What `docker load` and POST /images/load take, Docker 1.10 and later (`docker save` writes the same form):
 *
 *   manifest.json        [{ "Config": "HEX.json", "RepoTags": ["NAME:TAG"], "Layers": ["HEX.tar.gz", …] }]
 *   HEX.json             the image config; HEX is its sha256 and becomes the image's id
 *   HEX.tar.gz           the layers as they lie in the blob store, HEX.tar.zst with zstd, which Docker 23 and later read (it
 *                        looks at the first bytes, not at the name)
 *
 * The archive is deterministic; the stream can be opened again and again. Without a `reference` the image has no name.
 */
export function openDockerArchive(image: OciImage, reference: string | undefined): Readable {
  const { config, configDigest } = composeDocuments(image);
  const configName = `${hexOf(configDigest)}.json`;
  const layerNames = image.layers.map(nameLayer);
  const manifest = [{ Config: configName, RepoTags: reference === undefined ? null : [reference], Layers: layerNames }];
  const layers = new Map<string, TarEntry>(
    image.layers.map((layer) => {
      const { digest, sizeBytes } = layer;
      const path = nameLayer(layer);
      return [path, composeFile(path, { localPath: locateBlob(image.blobDir, digest), sizeBytes })];
    }),
  );
  return openTar([
    composeFile('manifest.json', Buffer.from(JSON.stringify(manifest))),
    composeFile(configName, config),
    ...layers.values(),
  ]);
}

function nameLayer({ digest, compression }: Layer): string {
  return `${hexOf(digest)}.tar.${compression === 'gzip' ? 'gz' : 'zst'}`;
}

function hexOf(digest: string): string {
  return digest.slice('sha256:'.length);
}
