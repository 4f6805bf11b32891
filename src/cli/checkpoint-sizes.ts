import { z } from 'zod';
import { CracBuildError } from '../errors.ts';
import { CAUSES } from '../restore-plan/memory-causes.ts';

const count = z.number().int().nonnegative();
/** The part of facts.json that tells sizes. */
const schema = z.object({
  name: z.string(),
  javaVersion: z.string(),
  gc: z.string(),
  sizes: z.object({
    byCause: z.record(z.enum(CAUSES), z.object({ rawBytes: count, compressedBytes: count })),
    droppedPages: z.object({ zero: count, 'equal-to-file': count, 'dead-stack': count, 'free-heap': count }),
    droppedHeapBytes: count,
  }),
  stepsMs: z.record(z.string(), z.number()),
});

export type CheckpointSizes = z.output<typeof schema>;

/** `place`: where the text is from. */
export function parseSizes(text: string, place: string): CheckpointSizes {
  const parsed = schema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new CracBuildError('IMAGE_INVALID', `${place} does not tell what takes the space`, {
    hint: 'Build the image again with this crac-build.',
    details: z.prettifyError(parsed.error).split('\n'),
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const PAGE_BYTES = 4096;
const CAUSE_NAMES: Readonly<Record<(typeof CAUSES)[number], string>> = {
  'java-heap': 'Java heap',
  metaspace: 'metaspace',
  'code-cache': 'code cache',
  cds: 'CDS archive, written',
  malloc: 'malloc',
  stacks: 'thread stacks',
  libraries: "libraries' data",
  agent: 'agent',
  other: 'other',
};

export interface Kept {
  readonly name: string;
  readonly rawBytes: number;
  readonly compressedBytes: number;
}

/** What there is any of, the largest first. */
export function listKept({ sizes }: CheckpointSizes): readonly Kept[] {
  return CAUSES.map((cause) => ({ name: CAUSE_NAMES[cause], ...sizes.byCause[cause] }))
    .filter(({ rawBytes }) => rawBytes > 0)
    .toSorted((a, b) => b.rawBytes - a.rawBytes);
}

export function sumKept(kept: readonly Kept[]): Kept {
  return {
    name: 'together',
    rawBytes: kept.reduce((sum, { rawBytes }) => sum + rawBytes, 0),
    compressedBytes: kept.reduce((sum, { compressedBytes }) => sum + compressedBytes, 0),
  };
}

/** What was left out, and in which step. */
export function listDropped({ sizes }: CheckpointSizes): readonly { readonly name: string; readonly bytes: number }[] {
  const { droppedPages, droppedHeapBytes } = sizes;
  return [
    { name: 'free Java heap, in the JVM', bytes: droppedHeapBytes },
    { name: 'free Java heap, in the compile step', bytes: droppedPages['free-heap'] * PAGE_BYTES },
    { name: 'zero pages, in the compile step', bytes: droppedPages.zero * PAGE_BYTES },
    { name: 'pages equal to their file, in the compile step', bytes: droppedPages['equal-to-file'] * PAGE_BYTES },
    { name: 'dead stack, in the compile step', bytes: droppedPages['dead-stack'] * PAGE_BYTES },
  ];
}
