import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';

/** Where distributions keep what their administrators trust: Debian's, Fedora's, openSUSE's, Alpine's. */
const SYSTEM_BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];
/** https://docs.docker.com/engine/security/certificates/, and where Podman looks for the same. */
const HOST_FOLDERS = ['/etc/docker/certs.d', '/etc/containers/certs.d'];

/**
 * Whom to believe that it is `host`: Node.js' own list, the system's (SSL_CERT_FILE), NODE_EXTRA_CA_CERTS, and what Docker and
 * Podman have been given for that host.
 */
export async function readCertificates(
  host: string,
  environment: Readonly<Record<string, string | undefined>>,
  hostFolders: readonly string[] = HOST_FOLDERS,
): Promise<readonly string[]> {
  const named = environment['SSL_CERT_FILE'];
  const bundles = [...(named ? [named] : SYSTEM_BUNDLES), environment['NODE_EXTRA_CA_CERTS'] ?? ''];
  const ofHost = await Promise.all(hostFolders.map((folder) => listCertificates(join(folder, host))));
  const found = await Promise.all([...bundles, ...ofHost.flat()].map(readIfThere));
  return [...rootCertificates, ...found.filter((text) => text !== '')];
}

async function listCertificates(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => name.endsWith('.crt')).map((name) => join(folder, name));
}

async function readIfThere(path: string): Promise<string> {
  return path === '' ? '' : await readFile(path, 'utf8').catch(() => '');
}
