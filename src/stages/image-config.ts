import { arch } from 'node:os';
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

/** The config of the image at every stage: its entrypoint is the restorer, which starts cold where nothing can be restored. */
export function composeImageConfig(plan: BuildPlan, labels: Readonly<Record<string, string>> = {}): ImageConfig {
  const { app, base } = plan;
  return {
    architecture: ARCHITECTURES[arch()] ?? 'amd64',
    os: 'linux',
    user: `${app.user.uid}:${app.user.gid}`,
    environment: { ...ENVIRONMENT, ...app.environment },
    entrypoint: ['/opt/crac/restore'],
    command: [],
    workingDir: app.workingDir,
    ports: app.ports,
    labels: {
      [OCI_KEYS.title]: plan.name,
      [FACT_KEYS.javaVersion]: String(base.javaVersion),
      ...labels,
    },
    stopSignal: 'SIGTERM',
  };
}
