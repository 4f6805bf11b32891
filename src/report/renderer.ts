import type { Report } from './event.ts';

/** Turns events into text somewhere. `finish` before anything else is written to the same terminal. */
export interface Renderer {
  readonly report: Report;
  readonly finish: () => Promise<void>;
}

export type Write = (text: string) => void;
