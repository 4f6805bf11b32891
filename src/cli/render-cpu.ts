import { findCpuLevel } from '../restore-plan/cpu-level.ts';
import type { RestoreImage } from '../restore-plan/restore-image.ts';

/** On which CPUs the image restores: "x86-64-v3 with aes, sha". */
export function renderCpu({ features, because }: RestoreImage['requiredCpu']): string {
  const { name, more } = findCpuLevel(features);
  return `cpu: ${name}${more.length > 0 ? ` with ${more.join(', ')}` : ''}; others start cold (${because})`;
}
