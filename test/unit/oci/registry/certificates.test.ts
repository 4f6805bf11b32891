import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { readCertificates } from '../../../../src/oci/registry/certificates.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'certificates-test-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

test('whom to believe: the system’s, what is named, and what Docker and Podman have for that host', async () => {
  const write = (name: string) => {
    writeFileSync(join(dir, name), name);
    return join(dir, name);
  };
  for (const folder of [
    'docker',
    'docker/registry.test:5000',
    'docker/other.test',
    'podman',
    'podman/registry.test:5000',
  ])
    mkdirSync(join(dir, folder));
  write('docker/registry.test:5000/ca.crt');
  write('docker/registry.test:5000/client.key');
  write('docker/other.test/ca.crt');
  write('podman/registry.test:5000/own.crt');
  const environment = { SSL_CERT_FILE: write('system.pem'), NODE_EXTRA_CA_CERTS: write('extra.pem') };
  const folders = [join(dir, 'docker'), join(dir, 'podman'), join(dir, 'none')];
  const found = await readCertificates('registry.test:5000', environment, folders);
  expect(found).toEqual([
    ...rootCertificates,
    'system.pem',
    'extra.pem',
    'docker/registry.test:5000/ca.crt',
    'podman/registry.test:5000/own.crt',
  ]);
  const missing = { SSL_CERT_FILE: join(dir, 'none'), NODE_EXTRA_CA_CERTS: join(dir, 'none') };
  expect(await readCertificates('x', missing, folders)).toEqual(rootCertificates);
});
