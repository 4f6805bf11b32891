import { CracBuildError } from '../errors.ts';

/** 4.1 cannot dump TCP sockets on current kernels, 3.17 does not start there. */
export const MIN_CRIU_VERSION = '4.2';

/** `criu --version` prints "Version: 4.2.1", and "GitID: …" in a second line. */
export function parseCriuVersion(output: string): string | undefined {
  return /^Version:\s*(\d+(?:\.\d+)+)/m.exec(output)?.[1];
}

/** CRIU_UNSUITABLE when it is too old; `place` says which one it is. */
export function requireCriuVersion(version: string, place: string): void {
  if (compareVersions(version, MIN_CRIU_VERSION) >= 0) return;
  throw new CracBuildError('CRIU_UNSUITABLE', `CRIU ${version} at ${place} is too old: ${MIN_CRIU_VERSION} is needed`, {
    hint: 'Leave out --criu, so that `crac-build toolbox` makes one that fits, or build a newer CRIU.',
  });
}

function compareVersions(a: string, b: string): number {
  const [left, right] = [a.split('.').map(Number), b.split('.').map(Number)];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
