import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { CracBuildError } from '../errors.ts';
import { COSIGN } from './cosign-image.ts';
import { openEnvelope } from './envelope.ts';
import { checkSignature } from './public-key.ts';
import type { Attached } from './read-attached.ts';
import { PREDICATES, STATEMENT_MEDIA_TYPE, STATEMENT_TYPE } from './statement.ts';

export interface Demands {
  /** Of the image's manifest, "sha256:…". */
  readonly imageDigest: string;
  /** Everything that is demanded must be signed with it; absent: signatures are not looked at. */
  readonly key: KeyObject | undefined;
  readonly sbom: boolean;
  readonly provenance: boolean;
}

/** What was found to be true of the image's surroundings. */
export interface AttachedReport {
  /** Repositories that good signatures claim the image to be from; undefined: nobody has looked. */
  readonly signedAs?: readonly string[];
  readonly sbom?: { readonly components: number; readonly isSigned: boolean };
  readonly provenance?: { readonly builder: string; readonly isSigned: boolean };
}

/** https://github.com/containers/image/blob/main/docs/containers-signature.5.md#json-data-format */
const PAYLOAD = z.looseObject({
  critical: z.looseObject({
    type: z.literal(COSIGN.payloadType),
    image: z.looseObject({ 'docker-manifest-digest': z.string() }),
    identity: z.looseObject({ 'docker-reference': z.string() }),
  }),
});
const STATEMENT = z.looseObject({
  _type: z.union([z.literal(STATEMENT_TYPE), z.literal('https://in-toto.io/Statement/v0.1')]),
  subject: z.array(z.looseObject({ digest: z.record(z.string(), z.string()) })),
  predicateType: z.string(),
  predicate: z.looseObject({}),
});
const PROVENANCE = z.looseObject({
  runDetails: z.looseObject({ builder: z.looseObject({ id: z.string() }) }),
});
const SBOM = z.looseObject({
  bomFormat: z.literal('CycloneDX'),
  metadata: z.looseObject({ component: z.looseObject({ version: z.string() }) }),
  components: z.array(z.unknown()),
});

/** SIGNATURE_INVALID or ATTESTATION_INVALID where a demand is not met. */
export function checkAttached(attached: Attached, demands: Demands): AttachedReport {
  const { key } = demands;
  const signedAs = key === undefined ? undefined : checkSignatures(attached, demands.imageDigest, key);
  const statements = findStatements(attached, key);
  return {
    ...(signedAs === undefined ? {} : { signedAs }),
    ...(demands.sbom ? { sbom: checkSbom(attached, statements, demands) } : {}),
    ...(demands.provenance ? { provenance: checkProvenance(statements, demands) } : {}),
  };
}

function checkSignatures({ signatures }: Attached, imageDigest: string, key: KeyObject): readonly string[] {
  if (signatures.length === 0)
    throw new CracBuildError('SIGNATURE_INVALID', `the image ${imageDigest} is not signed`, {
      hint: 'Sign it as it is built (--sign-key). Docker keeps no signatures: verify oci:DIR or registry:REFERENCE.',
    });
  const good = signatures.filter(({ payload, signature }) => checkSignature(key, payload, signature));
  if (good.length === 0)
    throw new CracBuildError('SIGNATURE_INVALID', `no signature of ${imageDigest} is by this key`, {
      hint: `What there is (${signatures.length}) is by other keys, or what it signs was changed. Give the key of whoever built the image.`,
    });
  const payloads = good.flatMap(({ payload }) => parseJson(PAYLOAD, payload.toString('utf8')) ?? []);
  const ours = payloads.filter(({ critical }) => critical.image['docker-manifest-digest'] === imageDigest);
  if (ours.length > 0) return ours.map(({ critical }) => critical.identity['docker-reference']);
  const [other] = payloads.map(({ critical }) => critical.image['docker-manifest-digest']);
  throw new CracBuildError('SIGNATURE_INVALID', `the signature beside ${imageDigest} is of ${other ?? 'no image'}`, {
    hint: 'It was put beside another image. Do not use this one.',
  });
}

type Found = z.infer<typeof STATEMENT> & { readonly isSigned: boolean };

/** With a key: only what it has signed. */
function findStatements({ envelopes, statements }: Attached, key: KeyObject | undefined): readonly Found[] {
  const isGood = (data: Buffer, signature: Buffer) => key !== undefined && checkSignature(key, data, signature);
  const signed = envelopes.flatMap((text) => {
    const opened = openEnvelope(text, isGood);
    return opened?.payloadType === STATEMENT_MEDIA_TYPE ? [opened.payload.toString('utf8')] : [];
  });
  const parse = (text: string, isSigned: boolean): Found[] => {
    const statement = parseJson(STATEMENT, text);
    return statement === undefined ? [] : [{ ...statement, isSigned }];
  };
  return key === undefined
    ? statements.flatMap((text) => parse(text, false))
    : signed.flatMap((text) => parse(text, true));
}

function isOf({ subject }: Found, imageDigest: string): boolean {
  return subject.some(({ digest }) => `sha256:${digest['sha256']}` === imageDigest);
}

function checkSbom(attached: Attached, statements: readonly Found[], { imageDigest, key }: Demands) {
  const signed = statements.filter(({ predicateType }) => predicateType === PREDICATES.sbom);
  const bare = key === undefined ? attached.sboms.map((text) => parseJson(SBOM, text)) : [];
  const all = [
    ...signed.map((one) => ({
      bom: SBOM.safeParse(one.predicate).data,
      isSigned: true,
      isOurs: isOf(one, imageDigest),
    })),
    ...bare.map((bom) => ({ bom, isSigned: false, isOurs: bom?.metadata.component.version === imageDigest })),
  ];
  const found = all.find(({ bom, isOurs }) => bom !== undefined && isOurs);
  if (found?.bom !== undefined) return { components: found.bom.components.length, isSigned: found.isSigned };
  throw missing('SBOM', all.length > 0, key, imageDigest, '--sbom');
}

function checkProvenance(statements: readonly Found[], { imageDigest, key }: Demands) {
  const all = statements.filter(({ predicateType }) => predicateType === PREDICATES.provenance);
  for (const one of all) {
    const provenance = PROVENANCE.safeParse(one.predicate).data;
    if (provenance !== undefined && isOf(one, imageDigest))
      return { builder: provenance.runDetails.builder.id, isSigned: one.isSigned };
  }
  throw missing('provenance', all.length > 0, key, imageDigest, '--provenance');
}

function missing(
  what: string,
  hasOther: boolean,
  key: KeyObject | undefined,
  imageDigest: string,
  flag: string,
): CracBuildError {
  const by = key === undefined ? '' : ' that this key has signed';
  return new CracBuildError(
    'ATTESTATION_INVALID',
    hasOther
      ? `the ${what} beside ${imageDigest} is of another image, or of no known form`
      : `beside ${imageDigest} there is no ${what}${by}`,
    {
      hint: `Build the image with ${flag}${key === undefined ? '' : ' and --sign-key'}. Docker keeps nothing beside an image: verify oci:DIR or registry:REFERENCE.`,
    },
  );
}

function parseJson<T>(schema: z.ZodType<T>, text: string): T | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
