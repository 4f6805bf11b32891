import { writeFile } from 'node:fs/promises';
import { CracBuildError } from '../errors.ts';
import { parseSizes } from './checkpoint-sizes.ts';
import { locateFacts } from './locate-checkpoint.ts';
import { renderSizes } from './render-sizes.ts';
import { renderSizesPage } from './render-sizes-page.ts';
import type { CommandResult } from './run-command.ts';

/** Tells what takes the space in an image; `html`: the file of a page to write, too. */
export async function inspectSizes(target: string, html: string | undefined): Promise<CommandResult> {
  const { place, content } = await locateFacts(target);
  const facts = parseSizes(content.toString(), place);
  if (html !== undefined)
    await writeFile(html, renderSizesPage(facts)).catch((cause: NodeJS.ErrnoException) => {
      throw new CracBuildError('INPUT_INVALID', `${html} cannot be written: ${cause.code}`, {
        hint: 'Name a file in a folder that is there and can be written to.',
        cause,
      });
    });
  return {
    text: `${place}\n\n${renderSizes(facts)}${html === undefined ? '' : `\nas a page: ${html}\n`}`,
    json: { ok: true, place, ...facts },
  };
}
