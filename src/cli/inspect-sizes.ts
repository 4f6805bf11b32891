import { parseSizes } from './checkpoint-sizes.ts';
import { describeImage, renderImage } from './describe-image.ts';
import { locateFacts } from './locate-checkpoint.ts';
import type { Target } from './open-target.ts';
import { renderSizes } from './render-sizes.ts';
import { renderSizesPage } from './render-sizes-page.ts';
import type { CommandResult } from './run-command.ts';
import { writePage } from './write-page.ts';

/** Tells what an image is and what takes the space in it; `html`: the file of a page to write, too. */
export async function inspectSizes(target: Target, html: string | undefined): Promise<CommandResult> {
  const { place, content } = await locateFacts(target);
  const facts = parseSizes(content.toString(), place);
  const image = target.kind === 'image' ? await describeImage(target.source) : undefined;
  if (html !== undefined) await writePage(html, renderSizesPage(facts));
  return {
    text: `${place}\n\n${image === undefined ? '' : `${renderImage(image)}\n`}${renderSizes(facts)}${html === undefined ? '' : `\nas a page: ${html}\n`}`,
    json: { ok: true, place, ...(image !== undefined && { image }), ...facts },
  };
}
