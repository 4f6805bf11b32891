import type { Command } from 'commander';
import { CracBuildError } from '../errors.ts';
import { PLACE_FORMS } from '../oci/place.ts';
import { addInsecureFlag, type InsecureFlag } from './insecure-flag.ts';
import { inspectPlan } from './inspect-plan.ts';
import { inspectSizes } from './inspect-sizes.ts';
import { openTarget } from './open-target.ts';
import type { CommandResult } from './run-command.ts';

export interface InspectFlags extends InsecureFlag {
  readonly plan?: string;
  readonly html?: string;
  readonly json?: boolean;
}

export function addInspectFlags(command: Command): Command {
  return addInsecureFlag(command)
    .argument(
      '[image]',
      `what it is and what takes the space: ${PLACE_FORMS}, a folder with a layout or a facts.json, or a facts.json`,
    )
    .option('--plan <file-or-folder>', 'what a restore does: of an image, a plan.bin, or a folder with one')
    .option('--html <file>', 'also write the sizes as a page with a treemap')
    .option('--json', 'print one JSON object');
}

/** Says what an image is and what takes the space in it, or what it will do when it restores. */
export async function runInspect(
  image: string | undefined,
  { plan, html, insecure }: InspectFlags,
  signal: AbortSignal = new AbortController().signal,
): Promise<CommandResult> {
  if ((image === undefined) === (plan === undefined))
    throw new CracBuildError('USAGE', image === undefined ? 'no image was given' : 'an image and --plan were given', {
      hint: '`crac-build inspect IMAGE` tells sizes, `crac-build inspect --plan IMAGE` what a restore does.',
    });
  if (plan !== undefined && html !== undefined)
    throw new CracBuildError('USAGE', '--html shows sizes, not a plan', { hint: 'Leave out --plan.' });
  await using target = await openTarget(plan ?? image ?? '', signal, insecure);
  return plan === undefined ? await inspectSizes(target, html) : await inspectPlan(target);
}
