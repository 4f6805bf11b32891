import { z } from 'zod';
import type { Artifact } from './artifact.ts';
import { digestOf } from './blob-store.ts';
import type { ReadManifest } from './read-layout.ts';

const OWN_MANIFEST = z.looseObject({
  config: z.looseObject({ digest: z.string(), size: z.number() }),
  layers: z.array(z.looseObject({ digest: z.string() })),
});
const OWN_CONFIG = z.looseObject({
  history: z.array(z.unknown()),
  rootfs: z.looseObject({ diff_ids: z.array(z.string()) }),
});

/**
 * The artifact, which is an image as cosign makes them, with the layers `before` it that its tag has now: signatures of others, and
 * older ones. They lie in the repository. A layer that is the same, its annotations included, comes once. Layers are not compressed
 * in such images, so that digests are diff ids.
 */
export function appendArtifact(before: ReadManifest, artifact: Artifact): Artifact {
  const manifest = OWN_MANIFEST.parse(JSON.parse(artifact.manifest.toString()));
  const own = new Set(manifest.layers.map(identify));
  const kept = before.layers.filter((layer) => !own.has(identify(layer)));
  if (kept.length === 0) return artifact;
  const oldConfig = artifact.blobs.find(({ digest }) => digest === manifest.config.digest);
  const config = OWN_CONFIG.parse(JSON.parse(oldConfig?.content.toString() ?? ''));
  const layers = [...kept, ...manifest.layers];
  const newConfig = Buffer.from(
    JSON.stringify({
      ...config,
      history: layers.map(() => config.history[0]),
      rootfs: { ...config.rootfs, diff_ids: layers.map(({ digest }) => digest) },
    }),
  );
  const configDigest = digestOf(newConfig);
  const bytes = Buffer.from(
    JSON.stringify({
      ...manifest,
      config: { ...manifest.config, digest: configDigest, size: newConfig.length },
      layers,
    }),
  );
  const others = artifact.blobs.filter((blob) => blob !== oldConfig);
  return {
    ...artifact,
    manifest: bytes,
    manifestDigest: digestOf(bytes),
    blobs: [{ digest: configDigest, content: newConfig }, ...others],
  };
}

/** Two signatures of one payload are layers of one digest: they lie in the annotations. */
function identify({ digest, annotations = {} }: { readonly digest: string; readonly annotations?: unknown }): string {
  return JSON.stringify([digest, Object.entries(annotations as object).sort()]);
}
