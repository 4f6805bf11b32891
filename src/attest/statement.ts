/** https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md */
export interface Statement {
  readonly _type: typeof STATEMENT_TYPE;
  readonly subject: readonly { readonly name: string; readonly digest: Readonly<Record<string, string>> }[];
  readonly predicateType: string;
  readonly predicate: object;
}

export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
/** Of statements, in an envelope or bare. */
export const STATEMENT_MEDIA_TYPE = 'application/vnd.in-toto+json';

export const PREDICATES = {
  /** https://slsa.dev/spec/v1.0/provenance */
  provenance: 'https://slsa.dev/provenance/v1',
  /** https://github.com/in-toto/attestation/blob/main/spec/predicates/cyclonedx.md */
  sbom: 'https://cyclonedx.org/bom',
} as const;

/** `digest`: of the image's manifest, "sha256:…". */
export function composeStatement(name: string, digest: string, predicateType: string, predicate: object): Statement {
  const [algorithm = '', hex = ''] = digest.split(':');
  return { _type: STATEMENT_TYPE, subject: [{ name, digest: { [algorithm]: hex } }], predicateType, predicate };
}
