import { CracBuildError } from '../../errors.ts';

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md, the part that is decided by. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | undefined;
}

interface IndexEntry {
  readonly digest: string;
  readonly platform?: Platform | undefined;
}

/**
 * The entry of an index for that platform; the plain one before those for a variant, and of equal ones the first, as container engines
 * take it. Attestations of BuildKit are entries, too, for the platform "unknown/unknown". IMAGE_INVALID where there is none.
 */
export function choosePlatform<E extends IndexEntry>(entries: readonly E[], wanted: Platform, name: string): E {
  const fitting = entries.filter(
    ({ platform }) =>
      platform?.os === wanted.os &&
      platform.architecture === wanted.architecture &&
      (wanted.variant === undefined || platform.variant === wanted.variant),
  );
  const [only] = entries;
  const found =
    fitting.find(({ platform }) => platform?.variant === undefined) ??
    fitting[0] ??
    (entries.length === 1 && only?.platform === undefined ? only : undefined);
  if (found !== undefined) return found;
  const there = entries.flatMap(({ platform }) => (platform === undefined ? [] : [renderPlatform(platform)]));
  throw new CracBuildError('IMAGE_INVALID', `${name} has no image for ${renderPlatform(wanted)}`, {
    hint: there.length === 0 ? 'It is empty.' : `It has: ${[...new Set(there)].join(', ')}.`,
  });
}

function renderPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant === undefined ? [] : [variant])].join('/');
}
