/** Where the parts of the XSAVE area lie, standard format: Intel SDM vol. 1, chapter 13; cpuid leaf 0xd. */
import type { CpuidLeaf } from '../criu/checkpoint.ts';

export interface XsaveLayout {
  /** Component → place in the area. */
  readonly offsets: ReadonlyMap<number, number>;
}

export const COMPONENT = {
  x87: 0,
  sse: 1,
  ymm: 2,
  bndregs: 3,
  bndcsr: 4,
  opmask: 5,
  zmmHigh: 6,
  hi16Zmm: 7,
  pkru: 9,
} as const;
/** The first extended component follows the 512 bytes of FXSAVE and the 64 of the header on every CPU. */
const YMM_OFFSET = 576;
const XSAVE_LEAF = 0xd;

export function readXsaveLayout(cpu: readonly CpuidLeaf[]): XsaveLayout {
  const offsets = new Map<number, number>([[COMPONENT.ymm, YMM_OFFSET]]);
  for (const { leaf, subleaf, registers } of cpu)
    if (leaf === XSAVE_LEAF && subleaf >= 2 && registers[0] > 0) offsets.set(subleaf, registers[1]);
  return { offsets };
}
