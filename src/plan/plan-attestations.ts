import type { Settings } from '../config/settings.ts';
import type { AttestationPlan } from './build-plan.ts';

/** Whoever builds somewhere that others can trust names that place: `attestations.builder`. */
const ANY_BUILDER = 'https://crac-build.dev/builders/unspecified';

export function planAttestations(
  { attestations = {} }: Settings,
  { createdSeconds }: { readonly createdSeconds?: number },
): AttestationPlan {
  const { sbom, provenance, builder, signKey, signPublicKey } = attestations;
  return {
    sbom: sbom ?? false,
    provenance: provenance ?? true,
    builder: builder ?? ANY_BUILDER,
    ...(createdSeconds === undefined ? {} : { sourceDateMs: createdSeconds * 1000 }),
    ...(signKey === undefined
      ? {}
      : { signing: { key: signKey, ...(signPublicKey === undefined ? {} : { publicKey: signPublicKey }) } }),
  };
}
