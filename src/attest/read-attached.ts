import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf, locateBlob } from '../oci/blob-store.ts';
import { type ReadDescriptor, readLayoutIndex, readManifest } from '../oci/read-layout.ts';
import { SBOM_MEDIA_TYPE } from '../sbom/compose-sbom.ts';
import { COSIGN } from './cosign-image.ts';
import { ENVELOPE_MEDIA_TYPE } from './envelope.ts';
import { STATEMENT_MEDIA_TYPE } from './statement.ts';

/** What lies beside an image; nothing of it has been believed yet. */
export interface Attached {
  readonly signatures: readonly { readonly payload: Buffer; readonly signature: Buffer }[];
  /** Signed statements. */
  readonly envelopes: readonly string[];
  readonly statements: readonly string[];
  readonly sboms: readonly string[];
}

/** An SBOM of a large app has some megabytes. */
export const MAX_ATTACHED_BYTES = 64 << 20;
const SIGNED_TYPES: readonly string[] = [COSIGN.signatureType, ENVELOPE_MEDIA_TYPE];

/**
 * Of the image with that digest in a layout. What is damaged or too large is as good as not there. cosign's images, which a
 * registry keeps by their tag, have no subject: of these what is signed tells of which image it is.
 */
export async function readAttached(dir: string, imageDigest: string): Promise<Attached> {
  const signatures: { readonly payload: Buffer; readonly signature: Buffer }[] = [];
  const texts: { readonly mediaType: string; readonly text: string }[] = [];
  for (const entry of (await readLayoutIndex(dir)).manifests) {
    if (entry.artifactType === undefined) continue;
    const manifest = await readManifest(dir, entry.digest).catch(() => undefined);
    if (manifest === undefined) continue;
    const { layers, subject } = manifest;
    if (subject !== undefined && subject.digest !== imageDigest) continue;
    for (const layer of layers) {
      if (subject === undefined && !SIGNED_TYPES.includes(layer.mediaType)) continue;
      const content = await readBlob(dir, layer);
      const signature = layer.annotations?.[COSIGN.signature];
      if (content === undefined || (subject === undefined && !namesImage(layer, content, imageDigest))) continue;
      if (layer.mediaType !== COSIGN.signatureType)
        texts.push({ mediaType: layer.mediaType, text: content.toString('utf8') });
      else if (signature !== undefined)
        signatures.push({ payload: content, signature: Buffer.from(signature, 'base64') });
    }
  }
  const of = (wanted: string) => texts.flatMap(({ mediaType, text }) => (mediaType === wanted ? [text] : []));
  return {
    signatures,
    envelopes: of(ENVELOPE_MEDIA_TYPE),
    statements: of(STATEMENT_MEDIA_TYPE),
    sboms: of(SBOM_MEDIA_TYPE),
  };
}

/** A first look, so that what is of other images of the layout is not told to be a wrong signature; checkAttached() compares. */
function namesImage({ mediaType }: ReadDescriptor, content: Buffer, imageDigest: string): boolean {
  return mediaType !== COSIGN.signatureType || content.includes(imageDigest);
}

async function readBlob(dir: string, { digest, size }: ReadDescriptor): Promise<Buffer | undefined> {
  if (size > MAX_ATTACHED_BYTES) return undefined;
  const content = await readFile(locateBlob(join(dir, 'blobs'), digest)).catch(() => undefined);
  return content !== undefined && digestOf(content) === digest ? content : undefined;
}
