import { CRIU_KEYS, FACT_KEYS } from '../oci/fact-keys.ts';
import type { ImageConfig } from '../oci/image.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import { findCpuLevel } from '../restore-plan/cpu-level.ts';
import type { RestoreImage } from '../restore-plan/restore-image.ts';
import { VERSION } from '../version.ts';
import type { WarmthReport } from '../warm-up/warmth.ts';
import type { InputDigests } from './input-digests.ts';
import type { MadeCheckpoint } from './reuse-checkpoint.ts';

export interface FactSources {
  readonly made: Pick<MadeCheckpoint, 'ready' | 'kernel'> & {
    readonly restoreImage: Pick<RestoreImage, 'requiredCpu'>;
    /** Undefined: the app asked for its checkpoint by itself. */
    readonly warmth: Pick<WarmthReport, 'requestCount' | 'durationMs' | 'stopped'> | undefined;
  };
  readonly architecture: ImageConfig['architecture'];
  readonly criuVersion: string;
  readonly inputs: InputDigests;
}

/** What the image tells of its checkpoint and of what it was made from, by docs/image.md's keys. Never the values of settings: they may be secret. */
export function composeImageFacts(
  plan: BuildPlan,
  { made: { ready, kernel, restoreImage, warmth }, architecture, criuVersion, inputs }: FactSources,
): Readonly<Record<string, string>> {
  const { base } = plan;
  const javaVendor = base.kind === 'jdk' ? base.javaVendor : base.jvm.vendor;
  const { features } = restoreImage.requiredCpu;
  return {
    [FACT_KEYS.javaVersion]: ready.javaVersion,
    ...(javaVendor !== undefined && { [FACT_KEYS.javaVendor]: javaVendor }),
    [FACT_KEYS.gc]: ready.gc,
    [FACT_KEYS.criuVersion]: criuVersion,
    [FACT_KEYS.cpuLevel]: findCpuLevel(features).name,
    [FACT_KEYS.cpuFeatures]: features.join(','),
    [FACT_KEYS.trigger]: plan.checkpoint.trigger,
    [FACT_KEYS.memory]: plan.checkpoint.memory,
    ...(warmth !== undefined && {
      [FACT_KEYS.warmUpRequests]: String(warmth.requestCount),
      [FACT_KEYS.warmUpSeconds]: (warmth.durationMs / 1000).toFixed(1),
      [FACT_KEYS.warmUpStopped]: warmth.stopped.reason,
    }),
    [FACT_KEYS.inputApp]: inputs.app,
    [FACT_KEYS.inputBase]: inputs.base,
    [FACT_KEYS.inputConfig]: inputs.config,
    [FACT_KEYS.inputRuntime]: inputs.runtime,
    [FACT_KEYS.inputToolbox]: inputs.toolbox,
    [CRIU_KEYS.engineName]: 'crac-build',
    [CRIU_KEYS.engineVersion]: VERSION,
    [CRIU_KEYS.criuVersion]: numberCriuVersion(criuVersion),
    [CRIU_KEYS.hostArch]: architecture,
    ...(kernel !== undefined && { [CRIU_KEYS.hostKernel]: kernel }),
  };
}

/** "4.2.1" → "40201". */
function numberCriuVersion(version: string): string {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map((part) => Number.parseInt(part, 10) || 0);
  return String(major * 10_000 + minor * 100 + patch);
}
