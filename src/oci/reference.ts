import { CracBuildError } from '../errors.ts';

export interface Reference {
  /** Host with port; absent: the engine's own default. */
  readonly registry?: string;
  readonly repository: string;
  /** "latest" where neither a tag nor a digest is given. */
  readonly tag?: string;
  readonly digest?: string;
}

/**
 *     reference  = [ host [ ":" port ] "/" ] component { "/" component } [ ":" tag ] [ "@" digest ]
 *
 * The first part is a host if it has a dot or a colon or is "localhost".
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests
 */
export function parseReference(text: string): Reference {
  const match = /^(?:([^/]*)\/)?(.*?)(?::([\w][\w.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$/.exec(text);
  const [, first, rest = '', tag, digest] = match ?? [];
  const isHost = first !== undefined && (/[.:]/.test(first) || first === 'localhost');
  const repository = first === undefined || isHost ? rest : `${first}/${rest}`;
  if (match === null || !isRepository(repository) || (isHost && !/^[A-Za-z0-9.-]+(:\d+)?$/.test(first))) {
    throw new CracBuildError('USAGE', `not an image reference: ${text}`, {
      hint: 'Write NAME, NAME:TAG or HOST:PORT/NAME:TAG, with NAME in lower case.',
    });
  }
  return {
    ...(isHost && { registry: first }),
    repository,
    ...(tag !== undefined && { tag }),
    ...(digest !== undefined && { digest }),
    ...(tag === undefined && digest === undefined && { tag: 'latest' }),
  };
}

export function renderReference({ registry, repository, tag, digest }: Reference): string {
  const host = registry === undefined ? '' : `${registry}/`;
  return `${host}${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

function isRepository(name: string): boolean {
  return (
    name.length <= 255 &&
    /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/.test(name)
  );
}
