/** What a plan is once it has been read. */
import type { FieldType, LAYOUTS, SECTION_STRUCTS, StructName } from './format.ts';

type ValueOf<T extends FieldType> = T extends 'u32' ? number : T extends 'u64' ? bigint : Buffer;
/** A whole record. `u64` is unsigned, also where C has a signed field: BigInt.asIntN(64, value) is that one. */
export type PlanValues<S extends StructName> = {
  readonly [F in (typeof LAYOUTS)[S][number] as F[0]]: ValueOf<F[1]>;
};
export type SectionStruct = (typeof SECTION_STRUCTS)[number];
export interface RestorePlan {
  readonly header: PlanValues<'header'>;
  readonly sections: { readonly [S in SectionStruct]: readonly PlanValues<S>[] };
  /** The BLOB section. */
  readonly blob: Buffer;
  /** Where it will lie in the restored process. */
  readonly blobAddress: bigint;
}

/** The BLOB's string at `offset`; undefined when none ends there. */
export function readText(blob: Buffer, offset: number): string | undefined {
  const end = offset < blob.length ? blob.indexOf(0, offset) : -1;
  return end < 0 ? undefined : blob.toString('utf8', offset, end);
}
