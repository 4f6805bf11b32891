/** The pipeline's stages, in order. */
export const STAGES = [
  'plan',
  'containerize',
  'launch',
  'warm-up',
  'checkpoint',
  'compile',
  'pack',
  'arrange',
  'compose',
  'verify',
  'publish',
] as const;
export type Stage = (typeof STAGES)[number];

/** What stages report; renderers turn it into terminal text, GitHub text or JSON lines. */
export type ReportEvent =
  | { readonly type: 'stage-started'; readonly stage: Stage; readonly atMs: number }
  | {
      readonly type: 'stage-progress';
      readonly stage: Stage;
      readonly text: string;
      /** Of a transfer. */
      readonly bytes?: { readonly done: number; readonly total: number };
    }
  | { readonly type: 'stage-finished'; readonly stage: Stage; readonly durationMs: number; readonly summary: string }
  | { readonly type: 'stage-failed'; readonly stage: Stage; readonly durationMs: number; readonly message: string }
  | { readonly type: 'warning'; readonly message: string; readonly hint?: string };

export type Report = (event: ReportEvent) => void;
