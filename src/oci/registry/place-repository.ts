import type { Reference } from '../reference.ts';

/** Where a reference leads. */
export interface RepositoryPlace {
  /** As people write it, with its port: what credentials are kept under. */
  readonly host: string;
  /** What is connected to. */
  readonly apiHost: string;
  /** The repository's name there. */
  readonly name: string;
}

/**
 * A reference without a host, or with `docker.io`, is of Docker Hub: its API has another host name, and names of one part
 * belong to `library`. https://github.com/distribution/reference/blob/v0.6.0/normalize.go
 */
export function placeRepository({ registry, repository }: Reference): RepositoryPlace {
  if (registry !== undefined && registry !== 'docker.io' && registry !== 'index.docker.io') {
    return { host: registry, apiHost: registry, name: repository };
  }
  const name = repository.includes('/') ? repository : `library/${repository}`;
  return { host: 'docker.io', apiHost: 'registry-1.docker.io', name };
}

/** "localhost:5000", "127.0.0.1": what is sent there does not leave the machine. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/:\d+$/, '').toLowerCase();
  return name === 'localhost' || name.endsWith('.localhost') || /^127(\.\d{1,3}){3}$/.test(name) || name === '[::1]';
}
