import type { Command } from 'commander';
import { CracBuildError } from '../errors.ts';
import { inspectPlan } from './inspect-plan.ts';
import { inspectSizes } from './inspect-sizes.ts';
import type { CommandResult } from './run-command.ts';

export interface InspectFlags {
  readonly plan?: string;
  readonly html?: string;
  readonly json?: boolean;
}

export function addInspectFlags(command: Command): Command {
  return command
    .argument('[image]', 'what takes the space: of an OCI image layout, a folder with a facts.json, or a facts.json')
    .option('--plan <file-or-folder>', 'what a restore does: of a plan.bin, a folder with one, or an OCI image layout')
    .option('--html <file>', 'also write the sizes as a page with a treemap')
    .option('--json', 'print one JSON object');
}

/** Says what takes the space in an image, or what it will do when it restores. */
export async function runInspect(image: string | undefined, { plan, html }: InspectFlags): Promise<CommandResult> {
  if ((image === undefined) === (plan === undefined))
    throw new CracBuildError('USAGE', image === undefined ? 'no image was given' : 'an image and --plan were given', {
      hint: '`crac-build inspect DIR` tells sizes, `crac-build inspect --plan DIR` what a restore does.',
    });
  if (plan !== undefined && html !== undefined)
    throw new CracBuildError('USAGE', '--html shows sizes, not a plan', { hint: 'Leave out --plan.' });
  return plan === undefined ? await inspectSizes(image ?? '', html) : await inspectPlan(plan);
}
