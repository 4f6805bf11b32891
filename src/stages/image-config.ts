import { arch } from 'node:os';
import { DEFAULT_PATH } from '../base/find-jvm.ts';
import { FACT_KEYS, OCI_KEYS } from '../oci/fact-keys.ts';
import type { ImageConfig } from '../oci/image.ts';
import type { BuildPlan } from '../plan/build-plan.ts';

/** What every program in the image sees, unless the app's own environment says otherwise. */
const ENVIRONMENT = {
  PATH: '/opt/java/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  JAVA_HOME: '/opt/java',
  LANG: 'C.UTF-8',
};

const ARCHITECTURES: Readonly<Record<string, ImageConfig['architecture']>> = { x64: 'amd64', arm64: 'arm64' };

/** What the base says of itself, such as its version, is not true of the image that is made of it. */
function withoutFacts(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => !key.startsWith('org.opencontainers.image.')));
}

/** The config of the image at every stage: its entrypoint is the restorer, which starts cold where nothing can be restored. */
export function composeImageConfig(plan: BuildPlan, labels: Readonly<Record<string, string>> = {}): ImageConfig {
  const { app, base } = plan;
  const ours = {
    architecture: ARCHITECTURES[arch()] ?? 'amd64',
    os: 'linux',
    user: `${app.user.uid}:${app.user.gid}`,
    entrypoint: ['/opt/crac/restore'],
    command: [],
    workingDir: app.workingDir,
  } as const;
  const ownLabels = {
    [OCI_KEYS.title]: plan.name,
    [FACT_KEYS.javaVersion]: String(base.javaVersion),
    ...labels,
  };
  if (base.kind !== 'image') {
    const environment = { ...ENVIRONMENT, ...app.environment };
    return { ...ours, environment, ports: app.ports, labels: ownLabels, stopSignal: 'SIGTERM' };
  }
  return {
    ...ours,
    // An engine may have another idea of a PATH where there is none.
    environment: { PATH: DEFAULT_PATH, ...base.environment, ...app.environment },
    ports: [...new Set([...app.ports, ...base.ports])],
    labels: { ...(app.source === undefined ? base.labels : withoutFacts(base.labels)), ...ownLabels },
    stopSignal: base.stopSignal ?? 'SIGTERM',
    inherited: base.inherited,
  };
}
