import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkAttached } from '../../src/attest/check-attached.ts';
import { readAttached } from '../../src/attest/read-attached.ts';
import { findImage } from '../../src/oci/find-images.ts';
import type { OciImage } from '../../src/oci/image.ts';
import { composeDocuments } from '../../src/oci/manifest.ts';
import { validateLayout } from '../../src/oci/validate.ts';
import { type Attestations, attestImage } from '../../src/stages/attest.ts';
import { pushToRegistries } from '../../src/stages/publish-to-registries.ts';
import { pullSource } from '../../src/stages/pull-source.ts';
import type { World } from '../../src/world.ts';
import { jarSource, samplePlan } from '../support/sample-plan.ts';
import { type OwnRegistry, startRegistry } from './own-registry.ts';
import { composeAccess, makeImage } from './registry-fixture.ts';

/** What lies beside an image, through Debian's docker-registry, which keeps no list of referrers. */
const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
let dir: string;
let registry: OwnRegistry;
let image: OciImage;
let digest: string;
let attestations: Attestations;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'attested-test-'));
  registry = await startRegistry();
  image = await makeImage(join(dir, 'image'), 1 << 16, 'attested');
  digest = composeDocuments(image).manifestDigest;
  writeFileSync(join(dir, 'orders.jar'), 'a jar');
  writeFileSync(join(dir, 'criu'), 'a program');
  const plan = samplePlan({ attestations: { sbom: true } });
  const world = {
    ...{ report: () => undefined, signal: new AbortController().signal, workDir: join(dir, 'work') },
    engine: { description: 'crun 1.8.1' },
    toolbox: { dir, criuCommand: ['{}/criu'], criuVersion: '4.2.1' },
    signer: { sign: async (data: Buffer) => sign('sha256', data, keys.privateKey) },
  } as unknown as World;
  const jdk = '/usr/lib/jvm/java-17-openjdk-amd64';
  const source = jarSource(join(dir, 'orders.jar'));
  const placed = { ...plan, app: { ...plan.app, source }, base: { ...plan.base, path: jdk } };
  attestations = await attestImage(placed, image, new Date(0), world);
});
afterAll(async () => {
  await registry?.[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true });
});

test('come back with the image, signed as one of that repository, and are believed', async () => {
  const { environment, signal } = composeAccess();
  const references = ['shop/orders:1', 'shop/orders:latest', 'other/orders:1'].map(
    (name) => `${registry.host}/${name}`,
  );
  const outputs = references.map((reference) => ({ kind: 'registry', reference }) as const);
  const world = { environment, signal, report: () => undefined };
  await using pushed = await pushToRegistries(
    { ...samplePlan(), outputs, insecureRegistries: [] },
    image,
    attestations,
    world,
  );
  expect(pushed.attached.map(({ title }) => title)).toContain(`signature as ${registry.host}/shop/orders`);
  const skopeo = (...args: string[]) => execFileSync('skopeo', args, { stdio: 'pipe' }).toString();
  const tagged = `docker://${registry.host}/shop/orders`;
  expect(() => skopeo('inspect', '--tls-verify=false', `${tagged}:1`)).toThrow(/manifest unknown/);
  await pushed.tag();
  expect(JSON.parse(skopeo('inspect', '--tls-verify=false', `${tagged}:1`))).toMatchObject({ Digest: digest });
  const tag = digest.replace(':', '-');
  expect(JSON.parse(skopeo('list-tags', '--tls-verify=false', tagged)).Tags.sort()).toEqual(
    ['1', 'latest', tag, `${tag}.att`, `${tag}.sig`].sort(),
  );

  for (const [index, repository] of [
    [0, 'shop'],
    [2, 'other'],
  ] as const) {
    const layout = join(dir, `pulled-${repository}`);
    await pullSource(references[index] ?? '', layout, {
      cacheDir: join(dir, `cache-${repository}`),
      access: composeAccess(),
    });
    expect(await validateLayout(layout)).toEqual([]);
    expect((await findImage(layout)).descriptor.digest).toBe(digest);
    const demands = { imageDigest: digest, key: keys.publicKey, sbom: true, provenance: true };
    expect(checkAttached(await readAttached(layout, digest), demands)).toMatchObject({
      signedAs: [`${registry.host}/${repository}/orders`],
      sbom: { isSigned: true },
      provenance: { isSigned: true },
    });
    const bare = checkAttached(await readAttached(layout, digest), { ...demands, key: undefined });
    expect(bare).toMatchObject({ sbom: { isSigned: false }, provenance: { isSigned: false } });
  }
}, 60_000);

test('openssl finds the signature of the image that skopeo gets by its tag to be good', async () => {
  const copy = join(dir, 'signature');
  const source = `docker://${registry.host}/shop/orders:${digest.replace(':', '-')}.sig`;
  execFileSync('skopeo', ['copy', '--insecure-policy', '--src-tls-verify=false', source, `dir:${copy}`], {
    stdio: 'pipe',
  });
  const { layers } = JSON.parse(readFileSync(join(copy, 'manifest.json'), 'utf8')) as {
    layers: { digest: string; annotations: Record<string, string> }[];
  };
  const payload = join(copy, layers[0]?.digest.slice('sha256:'.length) ?? '');
  const [key, signature] = [join(dir, 'key.pub'), join(dir, 'signature.der')];
  writeFileSync(key, keys.publicKey.export({ type: 'spki', format: 'pem' }));
  writeFileSync(signature, Buffer.from(layers[0]?.annotations['dev.cosignproject.cosign/signature'] ?? '', 'base64'));
  const args = ['dgst', '-sha256', '-verify', key, '-signature', signature, payload];
  expect(execFileSync('openssl', args, { stdio: 'pipe' }).toString()).toContain('Verified OK');
});
