import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { UnpackedImage } from './unpack-image.ts';

/**
 * An OCI runtime bundle for the unpacked image, under the restrictions that `verify` uses: no capability, no new privileges,
 * read-only root, writable /tmp. The network is the caller's, so that the stopwatch needs no forwarder.
 * https://github.com/opencontainers/runtime-spec/blob/v1.2.0/config.md
 */
export async function writeBundle(
  dir: string,
  image: UnpackedImage,
  process: { readonly argv: readonly string[]; readonly environment: readonly string[] },
): Promise<void> {
  const [uid = 0, gid = 0] = image.user.split(':').map(Number);
  await mkdir(dir, { recursive: true });
  const none: readonly string[] = [];
  const config = {
    ociVersion: '1.0.2',
    root: { path: image.root, readonly: true },
    process: {
      terminal: false,
      user: { uid, gid },
      args: process.argv,
      env: process.environment,
      cwd: image.workingDir,
      noNewPrivileges: true,
      capabilities: { bounding: none, effective: none, permitted: none, inheritable: none, ambient: none },
    },
    hostname: 'bench',
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
      {
        destination: '/dev',
        type: 'tmpfs',
        source: 'tmpfs',
        options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
      },
      { destination: '/dev/shm', type: 'tmpfs', source: 'shm', options: ['nosuid', 'noexec', 'nodev', 'mode=1777'] },
      { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
      { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', 'mode=1777'] },
    ],
    linux: { namespaces: ['pid', 'mount', 'ipc', 'uts'].map((type) => ({ type })) },
  };
  await writeFile(join(dir, 'config.json'), JSON.stringify(config));
}
