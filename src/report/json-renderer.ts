import type { Renderer, Write } from './renderer.ts';

/** One JSON object a line for each event. The result itself goes elsewhere, to stdout. */
export function openJsonRenderer(write: Write): Renderer {
  return {
    report: (event) => write(`${JSON.stringify(event)}\n`),
    finish: async () => {},
  };
}
