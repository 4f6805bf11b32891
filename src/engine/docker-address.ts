import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DockerOptions } from 'dockerode';
import { CracBuildError } from '../errors.ts';

/** Where a daemon listens, and where the ports that it publishes can be reached. */
export interface DockerAddress {
  /** As in DOCKER_HOST. */
  readonly url: string;
  readonly options: DockerOptions;
  /** The daemon's machine when it is not ours. */
  readonly remoteHost?: string;
}

const USUAL_SOCKET = 'unix:///var/run/docker.sock';

type Variables = Readonly<Record<string, string | undefined>>;

/** DOCKER_HOST, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH, as the docker client reads them. */
export function parseDockerAddress(environment: Variables): DockerAddress {
  const url = environment['DOCKER_HOST'] || USUAL_SOCKET;
  const match = /^(unix|tcp|https?):\/\/(.+)$/.exec(url);
  const [, scheme, place] = match ?? [];
  if (scheme === undefined || place === undefined) {
    throw new CracBuildError('ENGINE_UNAVAILABLE', `DOCKER_HOST is ${url}, which is not understood`, {
      hint: 'Use unix:///PATH or tcp://HOST:PORT. For ssh, forward the socket: ssh -L /tmp/docker.sock:/var/run/docker.sock HOST',
    });
  }
  if (scheme === 'unix') return { url, options: { socketPath: place } };
  const { hostname, port } = new URL(`http://${place}`);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const tls = scheme === 'https' || Boolean(environment['DOCKER_TLS_VERIFY']);
  return {
    url,
    options: {
      host,
      port: port || (tls ? 2376 : 2375),
      protocol: tls ? 'https' : 'http',
      ...(tls && environment['DOCKER_CERT_PATH'] && readCertificates(environment['DOCKER_CERT_PATH'])),
    },
    ...(!isLoopback(host) && { remoteHost: host }),
  };
}

function readCertificates(folder: string): Pick<DockerOptions, 'ca' | 'cert' | 'key'> {
  try {
    const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
    return { ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem') };
  } catch (cause) {
    throw new CracBuildError('ENGINE_UNAVAILABLE', `the certificates in DOCKER_CERT_PATH=${folder} cannot be read`, {
      hint: 'The folder needs ca.pem, cert.pem and key.pem.',
      cause,
    });
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}
