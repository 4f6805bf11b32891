import { readFileSync } from 'node:fs';

/**
 * crun 1.8 refuses to work where cgroup v1 stands beside a v2 hierarchy with controllers. Where it does, as here and now, what starts
 * crun is run in a mount namespace without the latter.
 */
export function hideUnifiedCgroup(): readonly string[] {
  const act = 'umount --lazy /sys/fs/cgroup/unified && exec "$@"';
  return hasControllers() ? ['unshare', '--mount', '--propagation', 'slave', 'sh', '-c', act, 'sh'] : [];
}

function hasControllers(): boolean {
  try {
    return readFileSync('/sys/fs/cgroup/unified/cgroup.controllers', 'utf8').trim() !== '';
  } catch {
    return false;
  }
}
