import type { ReportEvent } from './event.ts';
import { renderDuration } from './render-duration.ts';
import type { Renderer, Write } from './renderer.ts';

/** One line an event, for logs and pipes. */
export function openPlainRenderer(write: Write): Renderer {
  return {
    report: (event) => write(`${renderEvent(event)}\n`),
    finish: async () => {},
  };
}

export function renderEvent(event: ReportEvent): string {
  switch (event.type) {
    case 'stage-started':
      return `${event.stage} …`;
    case 'stage-progress':
      return `  ${event.text}`;
    case 'stage-finished':
      return `${event.stage}: ${event.summary} (${renderDuration(event.durationMs)})`;
    case 'stage-failed':
      return `${event.stage} failed after ${renderDuration(event.durationMs)}`;
    case 'stages-skipped':
      return `${event.stages.join(', ')}: ${event.why}`;
    case 'warning':
      return renderWarning(event);
  }
}

export function renderWarning(warning: { readonly message: string; readonly hint?: string }): string {
  return `warning: ${warning.message}${warning.hint === undefined ? '' : `\nhint: ${warning.hint}`}`;
}
