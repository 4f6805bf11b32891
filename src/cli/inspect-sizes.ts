import { parseSizes } from './checkpoint-sizes.ts';
import { locateFacts } from './locate-checkpoint.ts';
import { renderSizes } from './render-sizes.ts';
import { renderSizesPage } from './render-sizes-page.ts';
import type { CommandResult } from './run-command.ts';
import { writePage } from './write-page.ts';

/** Tells what takes the space in an image; `html`: the file of a page to write, too. */
export async function inspectSizes(target: string, html: string | undefined): Promise<CommandResult> {
  const { place, content } = await locateFacts(target);
  const facts = parseSizes(content.toString(), place);
  if (html !== undefined) await writePage(html, renderSizesPage(facts));
  return {
    text: `${place}\n\n${renderSizes(facts)}${html === undefined ? '' : `\nas a page: ${html}\n`}`,
    json: { ok: true, place, ...facts },
  };
}
