import type { Readable } from 'node:stream';
import { composeFile, type TarEntry } from '../tar/entry.ts';
import { openTar } from '../tar/write-tar.ts';
import { locateBlob } from './blob-store.ts';
import type { OciImage } from './image.ts';
import { composeDocuments } from './manifest.ts';

/**
 * What `docker load` and POST /images/load take, Docker 1.10 and later (`docker save` writes the same form):
 *
 *   manifest.json        [{ "Config": "HEX.json", "RepoTags": ["NAME:TAG"], "Layers": ["HEX.tar.gz", …] }]
 *   HEX.json             the image config; HEX is its sha256 and becomes the image's id
 *   HEX.tar.gz           the layers as they lie in the blob store (Docker looks at the first bytes, not at the name)
 *
 * The archive is deterministic; the stream can be opened again and again.
 */
export function openDockerArchive(image: OciImage, reference: string): Readable {
  const { config, configDigest } = composeDocuments(image);
  const configName = `${hexOf(configDigest)}.json`;
  const layerNames = image.layers.map((layer) => `${hexOf(layer.digest)}.tar.gz`);
  const manifest = [{ Config: configName, RepoTags: [reference], Layers: layerNames }];
  const layers = new Map<string, TarEntry>(
    image.layers.map(({ digest, sizeBytes }) => {
      const path = `${hexOf(digest)}.tar.gz`;
      return [path, composeFile(path, { localPath: locateBlob(image.blobDir, digest), sizeBytes })];
    }),
  );
  return openTar([
    composeFile('manifest.json', Buffer.from(JSON.stringify(manifest))),
    composeFile(configName, config),
    ...layers.values(),
  ]);
}

function hexOf(digest: string): string {
  return digest.slice('sha256:'.length);
}
