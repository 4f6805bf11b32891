import type { BuildResult } from '../build.ts';
import type { Output } from '../plan/build-plan.ts';
import { renderBytes } from '../report/render-bytes.ts';
import { renderDuration } from '../report/render-duration.ts';
import type { Latency } from '../warm-up/latency.ts';

/** The end of a build for people: what was made, how warm it is, how fast it comes back. */
export function renderBuild(result: BuildResult): string {
  const { plan, warmth, ready, layers, verified } = result;
  const lines = [
    ...plan.outputs.map((output) => `built ${renderOutput(output)}`),
    '',
    'layers',
    ...layers.map(
      ({ kind, sizeBytes, uncompressedBytes }) =>
        `  ${kind.padEnd(10)} ${renderBytes(sizeBytes).padStart(9)}   ${renderBytes(uncompressedBytes)} unpacked`,
    ),
    '',
    `warm-up: ${warmth.requestCount} requests in ${renderDuration(warmth.durationMs)}`,
    ...warmth.endpoints.map(
      ({ method, path, count, first, last }) =>
        `  ${method} ${path} ×${count}: first ${renderLatency(first)}, last ${renderLatency(last)}`,
    ),
    '',
    ...(ready.maxHeapBytes
      ? [
          `heap: up to ${renderBytes(ready.maxHeapBytes)}; a container with a lower memory limit starts cold (set -Xmx)`,
          '',
        ]
      : []),
    ...(verified === undefined
      ? ['NOT VERIFIED: nobody has seen this image restore']
      : [
          `verified as user ${verified.profile.user}, no capability, read-only root, no new privileges`,
          `  first answer restored: ${verified.restoredMs.map(renderDuration).join(', ')}`,
          `  first answer cold:     ${renderDuration(verified.coldMs)}`,
        ]),
  ];
  return `${lines.join('\n')}\n`;
}

function renderOutput(output: Output): string {
  return output.kind === 'oci' ? `oci:${output.dir}` : `docker:${output.reference}`;
}

function renderLatency({ p50Ms, p99Ms }: Latency): string {
  return `p50 ${renderDuration(p50Ms)} p99 ${renderDuration(p99Ms)}`;
}
