import { createCipheriv } from 'node:crypto';
import { join } from 'node:path';
import type { OciImage } from '../../src/oci/image.ts';
import { writeLayer } from '../../src/oci/layer.ts';
import { composeDocuments } from '../../src/oci/manifest.ts';
import { parseReference } from '../../src/oci/reference.ts';
import type { RegistryAccess } from '../../src/oci/registry/access.ts';
import { type PulledImage, pullImage } from '../../src/oci/registry/pull-image.ts';
import { pushImageBlobs, tagImage } from '../../src/oci/registry/push-image.ts';
import { openRepository } from '../../src/oci/registry/repository.ts';
import { composeFile } from '../../src/tar/entry.ts';
import { SAMPLE_CONFIG } from '../unit/oci/sample-image.ts';

/** As in builds, but that nobody waits long. */
export function composeAccess(given: Partial<RegistryAccess> = {}): RegistryAccess {
  return {
    environment: { HOME: '/nonexistent', PATH: '/usr/bin:/bin' },
    insecureHosts: [],
    signal: new AbortController().signal,
    patience: { attempts: 4, firstDelayMs: 10 },
    ...given,
  };
}

/** A small layer and one of `sizeBytes` that cannot be compressed; `seed` makes it another one. */
export async function makeImage(dir: string, sizeBytes: number, seed: string): Promise<OciImage> {
  const blobDir = join(dir, 'blobs');
  const cipher = createCipheriv('aes-128-ctr', seed.padEnd(16, '.').slice(0, 16), Buffer.alloc(16));
  const noise = cipher.update(Buffer.alloc(sizeBytes));
  const layers = [
    await writeLayer(blobDir, 'base', [composeFile('small', Buffer.from(seed))]),
    await writeLayer(blobDir, 'app', [composeFile('noise', noise)]),
  ];
  return { blobDir, layers, config: SAMPLE_CONFIG };
}

/** How many bytes had to be sent. */
export async function push(
  image: OciImage,
  reference: string,
  access: RegistryAccess,
  mountFrom: readonly string[] = [],
): Promise<number> {
  const parsed = parseReference(reference);
  await using repository = await openRepository(parsed, 'pull,push', access);
  const { sentBytes } = await pushImageBlobs(repository, image, { mountFrom });
  const digest = await tagImage(repository, image, parsed.tag ?? '');
  expect(digest).toBe(composeDocuments(image).manifestDigest);
  return sentBytes;
}

export async function pull(
  reference: string,
  cacheDir: string,
  access: RegistryAccess,
  onProgress?: (doneBytes: number, totalBytes: number) => void,
): Promise<PulledImage> {
  const platform = { os: 'linux', architecture: 'amd64' };
  return await pullImage({
    reference,
    cacheDir,
    access,
    platform,
    ...(onProgress === undefined ? {} : { onProgress }),
  });
}
