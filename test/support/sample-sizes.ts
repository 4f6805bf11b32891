import type { SizesByCause } from '../../src/restore-plan/measure-causes.ts';

export const SAMPLE_SIZES: SizesByCause = {
  'heap-young': { rawBytes: 500_000, compressedBytes: 100_000 },
  'heap-old': { rawBytes: 4_000_000, compressedBytes: 1_000_000 },
  'heap-humongous': { rawBytes: 1_200_000, compressedBytes: 300_000 },
  'heap-archive': { rawBytes: 300_000, compressedBytes: 100_000 },
  'heap-other': { rawBytes: 0, compressedBytes: 0 },
  metaspace: { rawBytes: 3_000_000, compressedBytes: 900_000 },
  'code-cache': { rawBytes: 2_000_000, compressedBytes: 700_000 },
  cds: { rawBytes: 1_500_000, compressedBytes: 300_000 },
  malloc: { rawBytes: 1_200_000, compressedBytes: 250_000 },
  stacks: { rawBytes: 90_000, compressedBytes: 12_000 },
  libraries: { rawBytes: 800_000, compressedBytes: 90_000 },
  agent: { rawBytes: 24_576, compressedBytes: 812 },
  other: { rawBytes: 0, compressedBytes: 0 },
};
