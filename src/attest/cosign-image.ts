import { type Artifact, tagOfDigest } from '../oci/artifact.ts';
import { digestOf } from '../oci/blob-store.ts';
import { type Descriptor, MEDIA_TYPES } from '../oci/spec.ts';
import type { Signer } from '../world.ts';
import { ENVELOPE_MEDIA_TYPE } from './envelope.ts';

/**
 * How cosign stores signatures and attestations: each in an image of its own that is called after the digest of what is
 * signed. https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md
 */
export const COSIGN = {
  signatureType: 'application/vnd.dev.cosign.simplesigning.v1+json',
  signature: 'dev.cosignproject.cosign/signature',
  predicateType: 'predicateType',
  /** Of a descriptor in the index of a layout, as `cosign save` writes it and `cosign verify --local-image` reads it. */
  kind: 'kind',
  kinds: {
    image: 'dev.cosignproject.cosign/image',
    signatures: 'dev.cosignproject.cosign/sigs',
    attestations: 'dev.cosignproject.cosign/atts',
  },
  /** Of a referrer; cosign writes them where it is to use referrers. */
  artifactTypes: {
    signatures: 'application/vnd.dev.cosign.artifact.sig.v1+json',
    attestations: 'application/vnd.dev.cosign.artifact.att.v1+json',
  },
  suffixes: { signatures: '.sig', attestations: '.att' },
  payloadType: 'cosign container image signature',
} as const;

/** The signature of `image`, a manifest. `identity`: the repository that it is claimed to come from. */
export async function signImage(image: Descriptor, identity: string, signer: Signer): Promise<Artifact> {
  const payload = Buffer.from(
    JSON.stringify({
      critical: {
        identity: { 'docker-reference': identity },
        image: { 'docker-manifest-digest': image.digest },
        type: COSIGN.payloadType,
      },
      optional: null,
    }),
  );
  const signature = (await signer.sign(payload)).toString('base64');
  return composeCosignImage(`signature as ${identity}`, image, 'signatures', [
    { mediaType: COSIGN.signatureType, content: payload, annotations: { [COSIGN.signature]: signature } },
  ]);
}

/** Statements in signed envelopes. */
export function composeAttestations(
  image: Descriptor,
  envelopes: readonly { readonly predicateType: string; readonly envelope: Buffer }[],
): Artifact {
  return composeCosignImage(
    'signed attestations',
    image,
    'attestations',
    envelopes.map(({ predicateType, envelope }) => ({
      mediaType: ENVELOPE_MEDIA_TYPE,
      content: envelope,
      annotations: { [COSIGN.signature]: '', [COSIGN.predicateType]: predicateType },
    })),
  );
}

interface CosignLayer {
  readonly mediaType: string;
  readonly content: Buffer;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Go's zero time: what cosign writes where there is none. */
const NO_TIME = '0001-01-01T00:00:00Z';

function composeCosignImage(
  title: string,
  subject: Descriptor,
  kind: keyof typeof COSIGN.suffixes,
  layers: readonly CosignLayer[],
): Artifact {
  const blobs = layers.map(({ content }) => ({ digest: digestOf(content), content }));
  const config = Buffer.from(
    JSON.stringify({
      architecture: '',
      created: NO_TIME,
      history: layers.map(() => ({ created: NO_TIME })),
      os: '',
      rootfs: { type: 'layers', diff_ids: blobs.map(({ digest }) => digest) },
      config: {},
    }),
  );
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.manifest,
      artifactType: COSIGN.artifactTypes[kind],
      config: { mediaType: MEDIA_TYPES.config, size: config.length, digest: digestOf(config) },
      layers: layers.map(({ mediaType, content, annotations }) => ({
        ...{ mediaType, size: content.length, digest: digestOf(content), annotations },
      })),
      subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
    }),
  );
  return {
    title,
    manifest,
    manifestDigest: digestOf(manifest),
    blobs: [{ digest: digestOf(config), content: config }, ...blobs],
    artifactType: COSIGN.artifactTypes[kind],
    annotations: { [COSIGN.kind]: COSIGN.kinds[kind] },
    tag: tagOfDigest(subject.digest, COSIGN.suffixes[kind]),
  };
}
