import { z } from 'zod';
import { classHistogram } from '../criu/control.ts';
import { CracBuildError } from '../errors.ts';
import { DROP_CAUSES } from '../restore-plan/kept-pages.ts';
import { CAUSES, type Cause, HEAP_CAUSES } from '../restore-plan/memory-causes.ts';
import { STEP_NAMES, STEPS, type StepName } from '../steps.ts';

const count = z.number().int().nonnegative();
/** The part of facts.json that tells sizes. */
const schema = z.object({
  name: z.string(),
  javaVersion: z.string(),
  gc: z.string(),
  sizes: z.object({
    byCause: z.record(z.enum(CAUSES), z.object({ rawBytes: count, compressedBytes: count })),
    droppedPages: z.record(z.enum(DROP_CAUSES), count),
  }),
  steps: z.array(
    z.object({ name: z.string(), ms: z.number(), freedBytes: z.number().int(), note: z.string().optional() }),
  ),
  classes: classHistogram.nullable(),
  skippedSteps: z.array(z.enum(STEP_NAMES)),
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
const CAUSE_NAMES: Readonly<Record<Cause, string>> = {
  'heap-young': 'young',
  'heap-old': 'old',
  'heap-humongous': 'humongous',
  'heap-archive': 'CDS archive',
  'heap-other': 'of no generation',
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
  /** What it is the sum of, the largest first. */
  readonly parts?: readonly Kept[];
}

/** What there is any of, the largest first. */
export function listKept({ sizes }: CheckpointSizes): readonly Kept[] {
  const isHeap = (cause: Cause) => HEAP_CAUSES.some((known) => known === cause);
  const generations = list(isHeap);
  const heap = sumKept('Java heap', generations);
  const isTold = sizes.byCause['heap-other'].rawBytes < heap.rawBytes;
  return keepLargest([isTold ? { ...heap, parts: generations } : heap, ...list((cause) => !isHeap(cause))]);

  function list(isWanted: (cause: Cause) => boolean): readonly Kept[] {
    const wanted = CAUSES.filter(isWanted);
    return keepLargest(wanted.map((cause) => ({ name: CAUSE_NAMES[cause], ...sizes.byCause[cause] })));
  }
}

function keepLargest(kept: readonly Kept[]): readonly Kept[] {
  return kept.filter(({ rawBytes }) => rawBytes > 0).toSorted((a, b) => b.rawBytes - a.rawBytes);
}

export function sumKept(name: string, kept: readonly Kept[]): Kept {
  return {
    name,
    rawBytes: kept.reduce((sum, { rawBytes }) => sum + rawBytes, 0),
    compressedBytes: kept.reduce((sum, { compressedBytes }) => sum + compressedBytes, 0),
  };
}

export interface LeftOut {
  readonly step: string;
  /** What the step does, as part of a sentence; absent where it cannot be skipped. */
  readonly does?: string;
  /** Negative: there was more memory afterwards. */
  readonly bytes: number;
  readonly ms?: number;
  readonly note?: string | undefined;
}

/** By the JVM, in the order of its steps. */
export function listGivenBack({ steps }: CheckpointSizes): readonly LeftOut[] {
  return steps.map(({ name, ms, freedBytes, note }) => {
    const step = STEP_NAMES.find((known) => known === name);
    return { step: name, ...(step === undefined ? {} : { does: STEPS[step] }), bytes: freedBytes, ms, note };
  });
}

const COMPILE_STEPS = {
  'heap-pages': 'free-heap',
  'code-pages': 'free-code',
  'arena-pages': 'free-arena',
  'metaspace-pages': 'free-metaspace',
  'malloc-pages': 'free-malloc',
  duplicates: 'duplicate',
  'zero-pages': 'zero',
  'file-pages': 'equal-to-file',
  'dead-stacks': 'dead-stack',
} as const satisfies Partial<Record<StepName, keyof CheckpointSizes['sizes']['droppedPages']>>;

/** By the compile step. */
export function listDropped({ sizes, skippedSteps }: CheckpointSizes): readonly LeftOut[] {
  return Object.entries(COMPILE_STEPS)
    .map(([step, cause]) => ({ step: step as keyof typeof COMPILE_STEPS, pages: sizes.droppedPages[cause] }))
    .filter(({ step }) => !skippedSteps.includes(step))
    .map(({ step, pages }) => ({ step, does: STEPS[step], bytes: pages * PAGE_BYTES }));
}
