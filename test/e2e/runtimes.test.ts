import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import type { BuildResult } from '../../src/build.ts';
import { locateBlob } from '../../src/oci/blob-store.ts';
import { buildImage, JDKS, PLAIN_HTTP, runCli } from './support/build-example.ts';
import { startInContainerd } from './support/containerd.ts';
import { startByRuntime } from './support/start-by-runtime.ts';
import { type StartedImage, startInDocker, waitUntilAnswered } from './support/start-image.ts';
import { startInPodman } from './support/start-in-podman.ts';

/** One image, made without Docker, everywhere; and what lies beside it. */
const run = promisify(execFile);
const REFERENCE = 'crac-e2e/everywhere:latest';

let dir: string;
let layout: string;
let built: BuildResult;
let publicKey: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'crac-runtimes-'));
  layout = join(dir, 'image');
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const keyFile = join(dir, 'key.pem');
  publicKey = join(dir, 'key.pub');
  await writeFile(keyFile, keys.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await writeFile(publicKey, keys.publicKey.export({ type: 'spki', format: 'pem' }));
  const config = join(dir, 'crac-build.yaml');
  await writeFile(
    config,
    stringify({
      app: {
        jar: join(PLAIN_HTTP, 'target/plain-http.jar'),
        javaOptions: ['-Xmx64m', '-XX:+UseSerialGC', '-Ddb.password=hunter2'],
        environment: { API_TOKEN: 'hunter3' },
      },
      warmUp: {
        requests: [
          { path: '/', count: 50 },
          { path: '/file', headers: { authorization: 'Bearer hunter4' }, count: 1 },
        ],
      },
      checkpoint: { settle: '0s' },
      verify: { enabled: false },
      attestations: { sbom: true, signKey: './key.pem' },
    }),
  );
  const flags = ['--engine', 'oci', '--base', `jdk:${JDKS[17]}`, '--output', `oci:${layout}`];
  built = await buildImage(['--config', config, ...flags]);
}, 120_000);

afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
});

async function startWithDocker(): Promise<StartedImage> {
  await run('skopeo', ['copy', '--insecure-policy', `oci:${layout}:latest`, `docker-daemon:${REFERENCE}`, ...daemon()]);
  const started = await startInDocker(REFERENCE, { environment: { CRAC_RESTORE: 'require' } });
  return {
    ...started,
    [Symbol.asyncDispose]: async () => {
      await started[Symbol.asyncDispose]();
      await run('docker', ['rmi', '--force', REFERENCE]);
    },
  };
}

function daemon(): readonly string[] {
  const host = process.env['DOCKER_HOST'];
  return host === undefined ? [] : ['--dest-daemon-host', host];
}

const RUNTIMES: readonly (readonly [name: string, start: () => Promise<StartedImage>])[] = [
  ['Docker', startWithDocker],
  ['Podman with crun', () => startInPodman(layout)],
  ['containerd', () => startInContainerd(layout)],
  ['runc alone', () => startByRuntime(layout, 'runc')],
  ['crun alone', () => startByRuntime(layout, 'crun')],
];

test.each(RUNTIMES)(
  'the image restores unchanged in %s, under the restrictions of production',
  async (_, start) => {
    await using started = await start();
    expect(await waitUntilAnswered(() => started.get('/'))).toMatch(/^hello from plain-http, request \d\d+/);
    expect(await started.getJson('/gc')).toMatchObject({ reachable: 400 });
    const { exitCode, output } = await started.stop();
    expect(output).toContain('bye');
    expect(exitCode).toBe(143);
  },
  60_000,
);

test('SBOM, provenance and signature lie beside the image, and `verify` believes them and starts it', async () => {
  expect(built.built.attached.map(({ title }) => title)).toEqual([
    'SBOM',
    'provenance',
    'signed attestations',
    'signature as plain-http',
  ]);
  const papers = ['--key', publicKey, '--require-sbom', '--require-provenance'];
  const { exitCode, stdout, stderr } = await runCli([
    'verify',
    `oci:${layout}`,
    '--engine',
    'oci',
    '--json',
    ...papers,
  ]);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  expect(JSON.parse(stdout)).toMatchObject({
    ok: true,
    digest: built.built.digest,
    attached: {
      signedAs: ['plain-http'],
      sbom: { isSigned: true },
      provenance: { isSigned: true, builder: 'https://crac-build.dev/builders/unspecified' },
    },
    started: { restoredMs: [expect.any(Number), expect.any(Number)], coldMs: expect.any(Number) },
  });
}, 60_000);

test('the SBOM knows the JDK, the jar and the Debian packages; nothing beside the image holds a secret', async () => {
  const texts = await Promise.all(built.built.attached.map(({ digest }) => readAttachedTexts(digest)));
  const [sbom = '', provenance = ''] = texts.map(([text]) => text ?? '');
  const components = (JSON.parse(sbom) as { components: { name: string; purl?: string; publisher?: string }[] })
    .components;
  expect(components).toContainEqual(expect.objectContaining({ name: 'openjdk', publisher: 'Debian' }));
  const purls = components.map(({ purl }) => purl ?? '').join('\n');
  expect(purls).toMatch(/^pkg:deb\/debian\/libc6@2\.\S+arch=amd64&distro=debian-12/m);
  expect(purls).toMatch(/^pkg:deb\/debian\/openjdk-17-jre-headless@17/m);
  expect(components.map(({ name }) => name)).toEqual(expect.arrayContaining(['plain-http', 'opt/crac/restore']));
  expect(JSON.parse(provenance)).toMatchObject({
    subject: [{ digest: { sha256: built.built.digest.slice('sha256:'.length) } }],
    predicate: { buildDefinition: { externalParameters: { app: { environmentNames: ['API_TOKEN'] } } } },
  });
  expect(texts.flat().join('\n')).not.toMatch(/hunter/);
  const signed = texts.flat().flatMap((text) => /"payload":"([^"]+)"/.exec(text)?.[1] ?? []);
  expect(signed).toHaveLength(2);
  expect(signed.map((text) => Buffer.from(text, 'base64').toString()).join('\n')).not.toMatch(/hunter/);
});

async function readAttachedTexts(digest: string): Promise<readonly string[]> {
  const blobs = join(layout, 'blobs');
  const { layers } = JSON.parse(await readFile(locateBlob(blobs, digest), 'utf8')) as { layers: { digest: string }[] };
  return await Promise.all(layers.map((layer) => readFile(locateBlob(blobs, layer.digest), 'utf8')));
}

test('an image that was changed, is signed by nobody known, or has no papers is told by `verify`', async () => {
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const otherKey = join(dir, 'other.pub');
  await writeFile(otherKey, other.publicKey.export({ type: 'spki', format: 'pem' }));
  const verify = async (where: string, ...flags: readonly string[]) => {
    const { exitCode, stdout } = await runCli(['verify', where, '--no-start', '--json', ...flags]);
    return { exitCode, code: JSON.parse(stdout).error?.code };
  };
  expect(await verify(`oci:${layout}`, '--key', otherKey)).toEqual({ exitCode: 1, code: 'SIGNATURE_INVALID' });

  const bare = join(dir, 'bare');
  await run('skopeo', ['copy', '--insecure-policy', `oci:${layout}:latest`, `oci:${bare}:latest`]);
  expect(await verify(`oci:${bare}`)).toEqual({ exitCode: 0, code: undefined });
  expect(await verify(`oci:${bare}`, '--key', publicKey)).toEqual({ exitCode: 1, code: 'SIGNATURE_INVALID' });
  expect(await verify(`oci:${bare}`, '--require-sbom')).toEqual({ exitCode: 1, code: 'ATTESTATION_INVALID' });

  const changed = join(dir, 'changed');
  await cp(layout, changed, { recursive: true });
  const layer = locateBlob(join(changed, 'blobs'), built.layers[1]?.digest ?? '');
  const bytes = await readFile(layer);
  bytes.writeUInt8(bytes.readUInt8(100) ^ 1, 100);
  await writeFile(layer, bytes);
  expect(await verify(`oci:${changed}`, '--key', publicKey)).toEqual({ exitCode: 1, code: 'IMAGE_INVALID' });
}, 60_000);
