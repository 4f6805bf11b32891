import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { digestOf, locateBlob } from '../../src/oci/blob-store.ts';
import type { OciImage } from '../../src/oci/image.ts';
import { composeDocuments } from '../../src/oci/manifest.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { fetchManifest } from '../../src/oci/registry/fetch-manifest.ts';
import { pushBlob } from '../../src/oci/registry/push-blob.ts';
import { pushManifest } from '../../src/oci/registry/push-manifest.ts';
import { listReferrers, pushReferrer } from '../../src/oci/registry/referrers.ts';
import { openRepository } from '../../src/oci/registry/repository.ts';
import { MEDIA_TYPES } from '../../src/oci/spec.ts';
import { type Meddler, type Meddling, type Seen, startMeddler } from './meddler.ts';
import { type OwnRegistry, startRegistry } from './own-registry.ts';
import { composeAccess, makeImage, pull, push } from './registry-fixture.ts';

/** Against Debian's docker-registry, through a proxy that looks at what is sent and breaks some of it. */
const SIZE = 3 << 20;
let dir: string;
let registry: OwnRegistry;
let proxy: Meddler;
let image: OciImage;
/** Of the layer that is large. */
let large: string;
let cacheDir: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'registry-test-'));
  registry = await startRegistry();
  image = await makeImage(join(dir, 'image'), SIZE, 'one');
  large = image.layers[1]?.digest ?? '';
  await push(image, `${registry.host}/team/app:1`, composeAccess());
});
afterAll(async () => {
  await registry?.[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true });
});
beforeEach(async () => {
  cacheDir = mkdtempSync(join(dir, 'cache-'));
  proxy = await startMeddler(registry.port);
});
afterEach(async () => proxy[Symbol.asyncDispose]());

/** What is done to the n-th request of those that `isMeant`. */
function meddleWith(isMeant: (seen: Seen) => boolean, ...meddlings: readonly (Meddling | undefined)[]): void {
  const left = [...meddlings];
  proxy.meddle = (seen) => (isMeant(seen) ? left.shift() : undefined);
}
const isFetch = ({ method, path }: Seen) => method === 'GET' && path.endsWith(large);
const isUpload = ({ method, path }: Seen) => (method === 'PUT' || method === 'PATCH') && path.includes('/blobs/');
const blobNames = () => readdirSync(join(cacheDir, 'pulled/sha256')).sort();

describe('pull', () => {
  const pullIt = () => pull(`${proxy.host}/team/app:1`, cacheDir, composeAccess());
  const expectWhole = () => {
    const { manifestDigest, configDigest } = composeDocuments(image);
    const digests = [manifestDigest, configDigest, ...image.layers.map(({ digest }) => digest)];
    expect(blobNames()).toEqual(digests.map((digest) => digest.slice(7)).sort());
    for (const { digest } of image.layers) {
      // Not toEqual(), which takes seconds for megabytes.
      const bytes = readFileSync(locateBlob(join(cacheDir, 'pulled'), digest));
      expect(digestOf(bytes)).toBe(digest);
    }
  };

  test('what was pushed, byte for byte, with its progress', async () => {
    const told: number[] = [];
    const pulled = await pull(`${proxy.host}/team/app:1`, cacheDir, composeAccess(), (done, total) => {
      told.push(done);
      expect(done).toBeLessThanOrEqual(total);
    });
    expectWhole();
    expect(pulled).toMatchObject({
      host: proxy.host,
      repository: 'team/app',
      digest: composeDocuments(image).manifestDigest,
      layers: image.layers.map(({ digest, sizeBytes }) => ({ digest, size: sizeBytes })),
      config: { rootfs: { diff_ids: image.layers.map(({ diffId }) => diffId) }, config: { User: '10001:10001' } },
    });
    expect(told.length).toBeGreaterThan(10);
    expect(told.at(-1)).toBe(
      composeDocuments(image).config.length + image.layers.reduce((sum, l) => sum + l.sizeBytes, 0),
    );
  });

  test('the second time only the tag is looked up, and by digest nothing', async () => {
    const { digest } = await pullIt();
    const first = proxy.seen.length;
    const path = locateBlob(join(cacheDir, 'pulled'), large);
    utimesSync(path, 1, 1);
    await pullIt();
    expect(proxy.seen.slice(first).map(({ path }) => path)).toEqual(['/v2/team/app/manifests/1']);
    // For whoever removes what was not used for long.
    expect(statSync(path).mtimeMs).toBeGreaterThan(Date.now() - 60_000);
    await proxy[Symbol.asyncDispose]();
    await pull(`${proxy.host}/team/app@${digest}`, cacheDir, composeAccess());
    expectWhole();
    proxy = await startMeddler(registry.port);
  });

  test('a broken connection is gone on with, where it broke', async () => {
    const cut = { cutAnswerAfter: 1 << 20 };
    meddleWith(isFetch, cut, cut);
    await pullIt();
    expectWhole();
    const fetches = proxy.seen.filter(isFetch);
    expect(fetches).toHaveLength(3);
    const starts = fetches.map(({ headers }) => Number(/^bytes=(\d+)-$/.exec(headers.range ?? 'bytes=0-')?.[1]));
    expect(starts[0]).toBe(0);
    expect(starts[1]).toBeGreaterThan(1 << 19);
    expect(starts[2]).toBeGreaterThan((starts[1] ?? 0) + (1 << 19));
  });

  test('what came first in a long pull is not old at its end, and what was removed meanwhile comes again', async () => {
    const small = image.layers[0]?.digest ?? '';
    let fetches = 0;
    let aged = 0;
    proxy.meddle = (seen) => {
      if (!isFetch(seen)) return undefined;
      if (++fetches === 1) return { cutAnswerAfter: 1 << 20 };
      for (const name of blobNames().filter((one) => /^[0-9a-f]+$/.test(one))) {
        const path = join(cacheDir, 'pulled/sha256', name);
        utimesSync(path, 1, 1);
        aged++;
        if (`sha256:${name}` === small) rmSync(path);
      }
      return undefined;
    };
    await pullIt();
    expect(aged).toBe(3); // manifest, config, the small layer
    expectWhole();
    for (const { digest } of [...image.layers, { digest: composeDocuments(image).configDigest }])
      expect(Date.now() - statSync(locateBlob(join(cacheDir, 'pulled'), digest)).mtimeMs).toBeLessThan(60_000);
  });

  test.each<[string, Meddling]>([
    ['500', { answer: { status: 500 } }],
    ['429 with the time to wait', { answer: { status: 429, headers: { 'retry-after': '1' } } }],
    ['a connection that is closed', { cutAnswerAfter: 1 }],
  ])('%s: once more', async (_name, meddling) => {
    meddleWith(isFetch, meddling, meddling);
    const startedMs = performance.now();
    await pullIt();
    expectWhole();
    if (meddling.answer?.status === 429) expect(performance.now() - startedMs).toBeGreaterThan(1900);
  });

  test('a manifest that comes in part is asked for again', async () => {
    meddleWith(({ path }) => path.includes('manifests'), { cutAnswerAfter: 20 }, { cutAnswerAfter: 20 });
    await pullIt();
    expectWhole();
  });

  test('errors that do not end are told, with what the registry says', async () => {
    meddleWith(({ path }) => path.includes('manifests'), ...Array(9).fill({ answer: { status: 503 } }));
    await expect(pullIt()).rejects.toMatchObject({
      code: 'REGISTRY_FAILED',
      message: `${proxy.host} fails at the manifest team/app:1: status 503`,
    });
    expect(proxy.seen.filter(({ path }) => path.includes('manifests'))).toHaveLength(4);
    meddleWith(({ path }) => path.includes('manifests'), {
      answer: { status: 429, headers: { 'retry-after': '3600' } },
    });
    await expect(pullIt()).rejects.toMatchObject({ message: expect.stringContaining('asks to wait 3600 s') });
  });

  test('what is not there', async () => {
    await expect(pull(`${proxy.host}/team/app:none`, cacheDir, composeAccess())).rejects.toMatchObject({
      code: 'INPUT_NOT_FOUND',
      message: expect.stringContaining('team/app:none'),
    });
    await proxy[Symbol.asyncDispose]();
    await expect(pullIt()).rejects.toMatchObject({
      code: 'REGISTRY_FAILED',
      message: expect.stringContaining('connection refused'),
    });
    proxy = await startMeddler(registry.port);
  });

  test('a damaged blob in the cache is found and fetched again, and only that', async () => {
    await pullIt();
    const path = locateBlob(join(cacheDir, 'pulled'), large);
    const bytes = readFileSync(path);
    bytes[SIZE / 2] = ~(bytes[SIZE / 2] ?? 0) & 0xff;
    writeFileSync(path, bytes);
    const first = proxy.seen.length;
    await pullIt();
    expectWhole();
    expect(proxy.seen.slice(first).filter(({ path }) => path.includes('blobs'))).toHaveLength(1);
  });

  test('a byte that changes on its way is noticed: once it is fetched again, twice it is refused', async () => {
    meddleWith(isFetch, { flipAt: SIZE - 100 });
    await pullIt();
    expectWhole();
    rmSync(join(cacheDir, 'pulled'), { recursive: true });
    meddleWith(isFetch, { flipAt: SIZE - 100 }, { flipAt: 7 });
    await expect(pullIt()).rejects.toMatchObject({
      code: 'IMAGE_INVALID',
      message: expect.stringContaining('other bytes than its digest promises'),
    });
    expect(blobNames()).not.toContain(large.slice(7));
    expect(blobNames().filter((name) => name.startsWith('.'))).toEqual([]);
    meddleWith(({ path }) => path.includes('manifests'), { flipAt: 30 });
    await expect(pullIt()).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
  });

  test('an interrupted pull leaves nothing that is taken for a blob, and the next one goes on with it', async () => {
    const controller = new AbortController();
    const abort = (done: number) => {
      if (done > SIZE / 2) controller.abort();
    };
    const access = composeAccess({ signal: controller.signal });
    await expect(pull(`${proxy.host}/team/app:1`, cacheDir, access, abort)).rejects.toThrow(/abort/);
    expect(blobNames()).not.toContain(large.slice(7));
    expect(blobNames()).toContain(`.resume-${large.slice(7)}`);
    const first = proxy.seen.length;
    await pullIt();
    expectWhole();
    const [again] = proxy.seen.slice(first).filter(isFetch);
    expect(again?.receivedBytes).toBeLessThan(SIZE * 0.6);
  });

  test('a part that was damaged meanwhile does not matter', async () => {
    await mkdir(join(cacheDir, 'pulled/sha256'), { recursive: true });
    writeFileSync(join(cacheDir, 'pulled/sha256', `.resume-${large.slice(7)}`), Buffer.alloc(SIZE / 2, 7));
    await pullIt();
    expectWhole();
  });

  test('two at once', async () => {
    await Promise.all([pullIt(), pullIt(), pullIt()]);
    expectWhole();
  });

  test('a killed run leaves a part, which is removed when it is old', async () => {
    const abandoned = join(cacheDir, 'pulled/sha256/.partial-x');
    await mkdir(join(cacheDir, 'pulled/sha256'), { recursive: true });
    writeFileSync(abandoned, 'x');
    execFileSync('touch', ['-d', '2 days ago', abandoned]);
    await pullIt();
    expectWhole();
  });

  test('a full disk is told as that, and nothing of it stays', async () => {
    const small = join(dir, 'small');
    await mkdir(small);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'crac-build-test', small]);
    try {
      await expect(pull(`${proxy.host}/team/app:1`, small, composeAccess())).rejects.toMatchObject({
        code: 'NO_SPACE',
        message: expect.stringContaining(large),
      });
      expect(readdirSync(join(small, 'pulled/sha256')).filter((name) => name.startsWith('.'))).toEqual([]);
    } finally {
      execFileSync('umount', [small]);
    }
  });

  test('of an index the image for the platform', async () => {
    await using repository = await openRepository(
      parseReference(`${proxy.host}/team/app`),
      'pull,push',
      composeAccess(),
    );
    const { manifest, manifestDigest } = composeDocuments(image);
    const entry = { mediaType: MEDIA_TYPES.manifest, digest: manifestDigest, size: manifest.length };
    const platform = (architecture: string) => ({ architecture, os: 'linux' });
    const other = composeDocuments({ ...image, config: { ...image.config, architecture: 'arm64' } });
    const config = { digest: other.configDigest, sizeBytes: other.config.length };
    await pushBlob(repository, config, (start, end) => Readable.from([other.config.subarray(start, end)]));
    await pushManifest(repository, { mediaType: MEDIA_TYPES.manifest, bytes: other.manifest });
    const manifests = [
      { ...entry, digest: other.manifestDigest, size: other.manifest.length, platform: platform('arm64') },
      { ...entry, platform: platform('amd64') },
    ];
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests }));
    const { digest } = await pushManifest(repository, { mediaType: MEDIA_TYPES.index, bytes }, 'several');
    expect((await pull(`${proxy.host}/team/app:several`, cacheDir, composeAccess())).digest).toBe(manifestDigest);
    expect((await pull(`${proxy.host}/team/app@${digest}`, cacheDir, composeAccess())).digest).toBe(manifestDigest);
    const lone = Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests: manifests.slice(0, 1) }),
    );
    await pushManifest(repository, { mediaType: MEDIA_TYPES.index, bytes: lone }, 'arm');
    await expect(pull(`${proxy.host}/team/app:arm`, cacheDir, composeAccess())).rejects.toMatchObject({
      code: 'IMAGE_INVALID',
      hint: 'It has: linux/arm64.',
    });
  });
});

describe('push', () => {
  /** Another image each time: blobs that the registry has are not sent. */
  let fresh: OciImage;
  let count = 0;
  beforeEach(async () => {
    count++;
    fresh = await makeImage(join(dir, `fresh-${count}`), SIZE, `fresh ${count}`);
  });
  const reference = () => `${proxy.host}/fresh/app-${count}:1`;
  const expectThere = async () => {
    await pull(reference(), cacheDir, composeAccess());
    for (const { digest, sizeBytes } of fresh.layers)
      expect(statSync(locateBlob(join(cacheDir, 'pulled'), digest)).size).toBe(sizeBytes);
  };
  /** The large layer, in chunks of half a megabyte. */
  const pushInChunks = async () => {
    await using repository = await openRepository(parseReference(reference()), 'pull,push', composeAccess());
    const layer = fresh.layers[1];
    if (layer === undefined) throw new Error('no layer');
    const bytes = readFileSync(locateBlob(fresh.blobDir, layer.digest));
    const open = (start: number, end: number) => Readable.from([bytes.subarray(start, end)]);
    const told: number[] = [];
    const how = await pushBlob(repository, layer, open, { chunkBytes: 1 << 19, onProgress: (done) => told.push(done) });
    expect(told.at(-1)).toBe(layer.sizeBytes);
    return how;
  };

  test('what the registry has is not sent again', async () => {
    const total = fresh.layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, composeDocuments(fresh).config.length);
    expect(await push(fresh, reference(), composeAccess())).toBe(total);
    expect(proxy.seen.filter(isUpload)).toHaveLength(3);
    expect(await push(fresh, reference().replace(/:1$/, ':2'), composeAccess())).toBe(0);
    expect(proxy.seen.filter(isUpload)).toHaveLength(3);
    await expectThere();
  });

  test('what another of its repositories has is mounted', async () => {
    await push(fresh, `${registry.host}/team/other:1`, composeAccess());
    expect(await push(fresh, reference(), composeAccess(), ['nobody/knows', 'team/other'])).toBe(0);
    expect(proxy.seen.filter(({ path }) => path.includes('mount=') && path.includes('team%2Fother'))).toHaveLength(3);
    expect(proxy.seen.filter(isUpload)).toEqual([]);
    await expectThere();
  });

  test('in chunks', async () => {
    expect(await pushInChunks()).toBe('sent');
    const chunks = proxy.seen.filter(({ method }) => method === 'PATCH');
    expect(chunks.map(({ headers }) => headers['content-range']).slice(0, 2)).toEqual(['0-524287', '524288-1048575']);
    expect(chunks).toHaveLength(Math.ceil((fresh.layers[1]?.sizeBytes ?? 0) / (1 << 19)));
    await push(fresh, reference(), composeAccess());
    await expectThere();
  });

  test('between chunks a connection may break, and 500 be said: the registry is asked how far it is', async () => {
    const isChunk = ({ method }: Seen) => method === 'PATCH';
    meddleWith(isChunk, undefined, { answer: { status: 500 } }, undefined, { cutRequestAfter: 1 });
    expect(await pushInChunks()).toBe('sent');
    expect(proxy.seen.some(({ method, path }) => method === 'GET' && path.includes('/blobs/uploads/'))).toBe(true);
    await push(fresh, reference(), composeAccess());
    await expectThere();
  });

  test.each([
    // This registry cannot tell then how far it is.
    ['in the middle of a chunk', 'PATCH', [undefined, { cutRequestAfter: 1 << 18 }], 2],
    ['when a chunk is there', 'PATCH', [undefined, { loseAnswer: true }], 2],
    ['when all is there', 'PUT', [{ loseAnswer: true }], 1],
  ])('a connection that breaks %s', async (_name, method, meddlings, uploads) => {
    meddleWith((seen) => isUpload(seen) && seen.method === method, ...meddlings);
    expect(await pushInChunks()).toBe('sent');
    expect(proxy.seen.filter((seen) => seen.method === 'POST')).toHaveLength(uploads);
    await push(fresh, reference(), composeAccess());
    await expectThere();
  });

  test('as a whole, when the connection breaks', async () => {
    meddleWith(isUpload, { cutRequestAfter: 1 << 10 }, { answer: { status: 502 } }, { loseAnswer: true });
    await push(fresh, reference(), composeAccess());
    await expectThere();
  });

  test('a registry that takes no chunks gets it as a whole', async () => {
    meddleWith(({ method }) => method === 'PATCH', { answer: { status: 405 } });
    expect(await pushInChunks()).toBe('sent');
    expect(proxy.seen.filter(({ method }) => method === 'PATCH')).toHaveLength(1);
    await push(fresh, reference(), composeAccess());
    await expectThere();
  });

  test('errors that do not end are told', async () => {
    meddleWith(isUpload, ...Array(30).fill({ answer: { status: 503 } }));
    await expect(push(fresh, reference(), composeAccess())).rejects.toMatchObject({
      code: 'REGISTRY_FAILED',
      message: expect.stringContaining('status 503'),
    });
    expect(proxy.seen.filter(({ method, path }) => method === 'PUT' && path.includes('manifests'))).toEqual([]);
  });

  test('an interrupted push ends at once, and leaves no image', async () => {
    const controller = new AbortController();
    proxy.meddle = (seen) => {
      if (isUpload(seen)) controller.abort();
      return undefined;
    };
    const startedMs = performance.now();
    await expect(push(fresh, reference(), composeAccess({ signal: controller.signal }))).rejects.toThrow(/abort/);
    expect(performance.now() - startedMs).toBeLessThan(2000);
    await sleep(100);
    proxy.meddle = () => undefined;
    await expect(pull(reference(), cacheDir, composeAccess())).rejects.toMatchObject({ code: 'INPUT_NOT_FOUND' });
  });
});

test('an interrupted push cancels its upload', async () => {
  const content = Buffer.alloc(1000, 'x');
  const open = (start: number, end: number) => Readable.from([content.subarray(start, end)]);
  const controller = new AbortController();
  let chunks = 0;
  proxy.meddle = ({ method }) => {
    if (method === 'PATCH' && ++chunks === 3) controller.abort();
    return undefined;
  };
  const access = composeAccess({ signal: controller.signal });
  await using repository = await openRepository(parseReference(`${proxy.host}/cancel/app:1`), 'pull,push', access);
  const pushing = pushBlob(repository, { digest: digestOf(content), sizeBytes: 1000 }, open, { chunkBytes: 100 });
  await expect(pushing).rejects.toThrow(/abort/);
  expect(chunks).toBe(3);
  // Whether the registry is done with the chunk before is a matter of luck, and it may leave something then.
  const [last, cancel] = proxy.seen.slice(-2);
  expect(cancel).toMatchObject({ method: 'DELETE', path: last?.path });
});

describe('referrers', () => {
  test('are kept under a tag where the registry has no list of its own', async () => {
    const { manifestDigest, manifest } = composeDocuments(image);
    await using repository = await openRepository(
      parseReference(`${proxy.host}/team/app`),
      'pull,push',
      composeAccess(),
    );
    expect(await listReferrers(repository, manifestDigest)).toEqual([]);
    const empty = Buffer.from('{}');
    const blob = { digest: digestOf(empty), sizeBytes: empty.length };
    await pushBlob(repository, blob, () => Readable.from([empty]));
    const attach = async (artifactType: string) => {
      const descriptor = { mediaType: 'application/vnd.oci.empty.v1+json', digest: blob.digest, size: 2 };
      const bytes = Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: MEDIA_TYPES.manifest,
          artifactType,
          config: descriptor,
          layers: [descriptor],
          subject: { mediaType: MEDIA_TYPES.manifest, digest: manifestDigest, size: manifest.length },
          annotations: { kind: artifactType },
        }),
      );
      return await pushReferrer(repository, { mediaType: MEDIA_TYPES.manifest, bytes });
    };
    const sbom = await attach('application/vnd.cyclonedx+json');
    const signature = await attach('application/vnd.test.signature');
    expect(await attach('application/vnd.test.signature')).toBe(signature);
    const all = await listReferrers(repository, manifestDigest);
    expect(all.map(({ digest }) => digest)).toEqual([sbom, signature]);
    expect(await listReferrers(repository, manifestDigest, 'application/vnd.test.signature')).toMatchObject([
      { digest: signature, annotations: { kind: 'application/vnd.test.signature' } },
    ]);
    expect((await fetchManifest(repository, manifestDigest.replace(':', '-')))?.mediaType).toBe(MEDIA_TYPES.index);
  });
});
