import type { Report, Stage } from './event.ts';
import { renderBytes } from './render-bytes.ts';

const INTERVAL_MS = 1000;

/** Tells how far a transfer is: at most once a second, and its end. `verb`: "pushed", "pulled"; `what` is at its other end. */
export function openBytesReport(
  report: Report,
  stage: Stage,
  verb: string,
  what: string,
): (doneBytes: number, totalBytes: number) => void {
  let nextMs = performance.now() + INTERVAL_MS;
  let isDone = false;
  return (doneBytes, totalBytes) => {
    const nowMs = performance.now();
    const isEnd = doneBytes === totalBytes && !isDone;
    if (!isEnd && nowMs < nextMs) return;
    nextMs = nowMs + INTERVAL_MS;
    isDone = isEnd;
    const text = `${verb} ${renderBytes(doneBytes)} of ${renderBytes(totalBytes)}: ${what}`;
    report({ type: 'stage-progress', stage, text, bytes: { done: doneBytes, total: totalBytes } });
  };
}
