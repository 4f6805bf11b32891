/** What an image tells of itself: annotations of its manifest, and the same as labels in its config. docs/image.md lists them. */

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md#pre-defined-annotation-keys */
export const OCI_KEYS = {
  title: 'org.opencontainers.image.title',
  created: 'org.opencontainers.image.created',
  version: 'org.opencontainers.image.version',
  revision: 'org.opencontainers.image.revision',
  source: 'org.opencontainers.image.source',
  baseDigest: 'org.opencontainers.image.base.digest',
} as const;

/**
 * Those of https://github.com/checkpoint-restore/checkpointctl (lib/metadata) that are true of our images. Not among them is
 * `…container.name`: CRI-O and containerd take an image with it for an archive of theirs and try to restore that instead of starting it.
 */
export const CRIU_KEYS = {
  engineName: 'org.criu.checkpoint.engine.name',
  engineVersion: 'org.criu.checkpoint.engine.version',
  /** As Podman writes it: 40201 is 4.2.1. */
  criuVersion: 'org.criu.checkpoint.criu.version',
  hostArch: 'org.criu.checkpoint.host.arch',
  hostKernel: 'org.criu.checkpoint.host.kernel',
} as const;

const PREFIX = 'dev.crac-build.';

export const FACT_KEYS = {
  version: `${PREFIX}version`,
  javaVersion: `${PREFIX}java.version`,
  javaVendor: `${PREFIX}java.vendor`,
  gc: `${PREFIX}java.gc`,
  criuVersion: `${PREFIX}criu.version`,
  cpuLevel: `${PREFIX}cpu.level`,
  /** Names with commas between them. */
  cpuFeatures: `${PREFIX}cpu.features`,
  trigger: `${PREFIX}checkpoint.trigger`,
  memory: `${PREFIX}checkpoint.memory`,
  checkpointDiffId: `${PREFIX}checkpoint.diff-id`,
  warmUpRequests: `${PREFIX}warm-up.requests`,
  warmUpSeconds: `${PREFIX}warm-up.seconds`,
  warmUpStopped: `${PREFIX}warm-up.stopped`,
  inputApp: `${PREFIX}input.app`,
  inputBase: `${PREFIX}input.base`,
  inputConfig: `${PREFIX}input.config`,
  inputRuntime: `${PREFIX}input.runtime`,
  inputToolbox: `${PREFIX}input.toolbox`,
} as const;

/** Of all that a build knows of its image; in this order they are told. */
export const ALL_KEYS: readonly string[] = [OCI_KEYS, FACT_KEYS, CRIU_KEYS].flatMap((keys) => Object.values(keys));
