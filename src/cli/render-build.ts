import type { BuildResult } from '../build.ts';
import { renderPlace } from '../oci/place.ts';
import { renderBytes } from '../report/render-bytes.ts';
import { renderDuration } from '../report/render-duration.ts';
import { renderCpu } from './render-cpu.ts';
import { renderState } from './render-state.ts';
import { renderFirstRequests, renderWarmth } from './render-warmth.ts';

/** The end of a build for people: what was made, how warm it is, how fast it comes back. */
export function renderBuild(result: BuildResult): string {
  const { plan, cached, warmth, ready, state, restoreImage, layers, verified, built } = result;
  const lines = [
    ...plan.outputs.map((output) => `built ${renderPlace(output)}`),
    `image ${built.digest}`,
    ...(built.attached.length === 0 ? [] : [`attached: ${built.attached.map(({ title }) => title).join(', ')}`]),
    ...(cached
      ? ['with the checkpoint of an earlier build, from the cache: no input has changed (--no-cache takes a new one)']
      : []),
    '',
    'layers',
    ...layers.map(
      ({ kind, sizeBytes, uncompressedBytes, digest }) =>
        `  ${kind.padEnd(10)} ${renderBytes(sizeBytes).padStart(9)}   ${renderBytes(uncompressedBytes).padStart(9)} unpacked   ${digest}`,
    ),
    '',
    ...renderWarmth(warmth),
    '',
    ...renderState(state),
    ...(ready.maxHeapBytes
      ? [`heap: up to ${renderHeap(ready.maxHeapBytes)}; a container with a lower memory limit starts cold (set -Xmx)`]
      : []),
    renderCpu(restoreImage.requiredCpu),
    '',
    ...(verified === undefined
      ? ['NOT VERIFIED: nobody has seen this image restore']
      : [
          `verified as user ${verified.profile.user}, no capability, read-only root, no new privileges`,
          ...renderStarts(verified),
          ...renderFirstRequests(result),
        ]),
  ];
  return `${lines.join('\n')}\n`;
}

/** As -Xmx and the restorer's message count it. */
function renderHeap(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}

function renderStarts(verified: NonNullable<BuildResult['verified']>): readonly string[] {
  const restored = verified.restoredMs.map(renderDuration).join(', ');
  const cold = renderDuration(verified.coldMs);
  if (!('exitCode' in verified)) return [`  first answer restored: ${restored}`, `  first answer cold:     ${cold}`];
  const { exitCode } = verified;
  if (exitCode === null) return [`  ran on, restored and cold, for ${cold}`];
  return [`  exited with code ${exitCode} restored: ${restored}`, `  exited with code ${exitCode} cold:     ${cold}`];
}
