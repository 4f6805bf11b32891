import { CracBuildError, isCracBuildError } from '../errors.ts';
import { renderBytes } from '../report/render-bytes.ts';
import { describePlan } from '../restore-plan/describe-plan.ts';
import { planToJson } from '../restore-plan/plan-to-json.ts';
import type { RestorePlan } from '../restore-plan/plan-values.ts';
import { parsePlan } from '../restore-plan/read-plan.ts';
import { type LocatedFile, locatePlan } from './locate-checkpoint.ts';
import type { Target } from './open-target.ts';
import type { CommandResult } from './run-command.ts';

/** Says what an image will do when it restores. */
export async function inspectPlan(target: Target): Promise<CommandResult> {
  const located = await locatePlan(target);
  const plan = readLocated(located);
  const { place, memBytes } = located;
  const planBytes = located.content.length;
  return {
    text: `${place}: ${renderBytes(planBytes)}, whole${memBytes === undefined ? '' : `; mem.bin beside it: ${renderBytes(memBytes)}`}\n${describePlan(plan)}`,
    json: { ok: true, place, planBytes, ...(memBytes === undefined ? {} : { memBytes }), ...planToJson(plan) },
  };
}

function readLocated({ place, content, memBytes }: LocatedFile): RestorePlan {
  try {
    const plan = parsePlan(content);
    if (memBytes === undefined || BigInt(memBytes) === plan.header.mem_size) return plan;
    throw new CracBuildError(
      'IMAGE_INVALID',
      `mem.bin has ${memBytes} bytes, the plan was made for ${plan.header.mem_size}`,
      { hint: 'Build the image again, or copy both files again from where they came.' },
    );
  } catch (error) {
    if (!isCracBuildError(error)) throw error;
    const { code, message, hint } = error;
    const sentence = message.startsWith('plan.bin ') ? message.slice('plan.bin'.length) : `: ${message}`;
    throw new CracBuildError(code, `${place}${sentence}`, { ...(hint === undefined ? {} : { hint }), cause: error });
  }
}
