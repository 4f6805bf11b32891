import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkAttached } from '../../src/attest/check-attached.ts';
import { signImage } from '../../src/attest/cosign-image.ts';
import { readAttached } from '../../src/attest/read-attached.ts';
import { type Artifact, composeReferrer, tagOfDigest } from '../../src/oci/artifact.ts';
import { digestOf } from '../../src/oci/blob-store.ts';
import { findImage } from '../../src/oci/find-images.ts';
import type { OciImage } from '../../src/oci/image.ts';
import { composeDocuments } from '../../src/oci/manifest.ts';
import { readLayoutIndex } from '../../src/oci/read-layout.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { fetchManifest } from '../../src/oci/registry/fetch-manifest.ts';
import { pushArtifact } from '../../src/oci/registry/push-artifact.ts';
import { pushReferrer } from '../../src/oci/registry/referrers.ts';
import { openRepository } from '../../src/oci/registry/repository.ts';
import { MEDIA_TYPES } from '../../src/oci/spec.ts';
import { validateLayout } from '../../src/oci/validate.ts';
import { type Attestations, attestImage } from '../../src/stages/attest.ts';
import { pushToRegistries } from '../../src/stages/publish-to-registries.ts';
import { pullSource } from '../../src/stages/pull-source.ts';
import type { World } from '../../src/world.ts';
import { jarSource, samplePlan } from '../support/sample-plan.ts';
import { type OwnRegistry, startRegistry } from './own-registry.ts';
import { composeAccess, makeImage, push } from './registry-fixture.ts';

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

describe('what others have put there', () => {
  const reference = (name: string) => `${registry.host}/${name}`;
  const open = (name: string) => openRepository(parseReference(reference(name)), 'pull,push', composeAccess());
  const pullTo = async (name: string) => {
    const layout = join(dir, `pulled-${name}`);
    await pullSource(reference(`${name}:1`), layout, { cacheDir: join(dir, `cache-${name}`), access: composeAccess() });
    return layout;
  };
  const descriptor = () => ({ mediaType: MEDIA_TYPES.manifest, digest, size: 1 });
  const signBy = async (key: typeof keys, identity: string) => {
    const signer = { sign: async (data: Buffer) => sign('sha256', data, key.privateKey) };
    return await signImage(descriptor(), identity, signer);
  };
  const strange = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const demands = (key: typeof keys) => ({ imageDigest: digest, key: key.publicKey, sbom: false, provenance: false });

  test('signatures of others stay, and each is there once', async () => {
    await push(image, reference('both:1'), composeAccess());
    await using repository = await open('both');
    const [ours, theirs] = [await signBy(keys, 'ours'), await signBy(strange, 'theirs')];
    await pushArtifact(repository, theirs);
    const first = await pushArtifact(repository, ours);
    expect(await pushArtifact(repository, ours)).toEqual(first);
    const tagged = await fetchManifest(repository, tagOfDigest(digest, '.sig'));
    expect(tagged?.digest).toBe(first.manifestDigest);
    expect((JSON.parse(String(tagged?.bytes)) as { layers: unknown[] }).layers).toHaveLength(2);
    const layout = await pullTo('both');
    expect(await validateLayout(layout)).toEqual([]);
    const attached = await readAttached(layout, digest);
    expect(checkAttached(attached, demands(keys)).signedAs).toEqual(['ours']);
    expect(checkAttached(attached, demands(strange)).signedAs).toEqual(['theirs']);
  });

  test('a signature as cosign has always written it, without a subject', async () => {
    await push(image, reference('plain:1'), composeAccess());
    await using repository = await open('plain');
    const withoutSubject = (artifact: Artifact): Artifact => {
      const { subject: _, artifactType: _t, ...manifest } = JSON.parse(artifact.manifest.toString());
      const bytes = Buffer.from(JSON.stringify(manifest));
      return { ...artifact, manifest: bytes, manifestDigest: digestOf(bytes) };
    };
    await pushArtifact(repository, withoutSubject(await signBy(keys, 'plain')));
    const layout = await pullTo('plain');
    expect(checkAttached(await readAttached(layout, digest), demands(keys)).signedAs).toEqual(['plain']);
    const other = { ...demands(keys), imageDigest: digestOf('other') };
    const ofOther = await readAttached(layout, other.imageDigest);
    expect(() => checkAttached(ofOther, other)).toThrow('is not signed');
  });

  test('referrers that are no manifests or too large are not there', async () => {
    await push(image, reference('much:1'), composeAccess());
    await using repository = await open('much');
    const small = composeReferrer({
      ...{ title: 'note', subject: descriptor(), artifactType: 'text/plain' },
      ...{ content: Buffer.from('a note'), annotations: {} },
    });
    await pushArtifact(repository, small);
    const manifest = JSON.parse(small.manifest.toString());
    const huge = { ...manifest, layers: [{ ...manifest.layers[0], size: (64 << 20) + 1 }] };
    const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests: [], subject: descriptor() };
    for (const document of [huge, index])
      await pushReferrer(repository, { mediaType: document.mediaType, bytes: Buffer.from(JSON.stringify(document)) });
    const found = await readLayoutIndex(await pullTo('much'));
    expect(found.manifests.map((entry) => entry.digest)).toEqual([digest, small.manifestDigest]);
  });

  test('the only image of a name, for another platform, is one for that', async () => {
    const config = { ...image.config, architecture: 'arm64' } as const;
    await push({ ...image, config }, reference('arm:1'), composeAccess());
    const layout = await pullTo('arm');
    expect(await validateLayout(layout)).toEqual([]);
    expect((await findImage(layout)).descriptor.platform).toEqual({ os: 'linux', architecture: 'arm64' });
  });
});
