import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { digestOf, locateBlob } from '../../../../src/oci/blob-store.ts';
import { parseReference } from '../../../../src/oci/reference.ts';
import { fetchBlob } from '../../../../src/oci/registry/fetch-blob.ts';
import { pushBlob } from '../../../../src/oci/registry/push-blob.ts';
import { pushManifest } from '../../../../src/oci/registry/push-manifest.ts';
import { listReferrers, pushReferrer } from '../../../../src/oci/registry/referrers.ts';
import { openRepository, parseLocation, type Repository } from '../../../../src/oci/registry/repository.ts';
import { MEDIA_TYPES } from '../../../../src/oci/spec.ts';

/** What registries do that Debian's docker-registry does not; that one is in test/engine/registry.test.ts. */
let dir: string;
let server: Server;
let host: string;
let answer: (request: IncomingMessage, response: ServerResponse, path: string) => unknown;
const seen: string[] = [];
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'registries-test-'));
  seen.length = 0;
  server = createServer((request, response) => {
    const path = (request.url ?? '').replace('/v2/team/app/', '');
    seen.push(`${request.method} ${path.split('?')[0]}`);
    answer(request, response, path);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(dir, { recursive: true });
});

async function open(
  environment: Readonly<Record<string, string>> = {},
  signal = new AbortController().signal,
): Promise<Repository> {
  return await openRepository(parseReference(`${host}/team/app`), 'pull,push', {
    environment: { HOME: dir, ...environment },
    insecureHosts: [],
    signal,
    patience: { attempts: 3, firstDelayMs: 1 },
  });
}

const CONTENT = Buffer.from('0123456789'.repeat(100));
const BLOB = { digest: digestOf(CONTENT), sizeBytes: CONTENT.length };
const openContent = (start: number, end: number) => Readable.from([CONTENT.subarray(start, end)]);

/** One that keeps what came of a chunk before the connection broke. */
function openUploads({ minChunkBytes = 0, breakAt = Number.POSITIVE_INFINITY } = {}) {
  const stored: Buffer[] = [];
  const chunks: string[] = [];
  const size = () => stored.reduce((sum, { length }) => sum + length, 0);
  const told = () => ({ location: '/v2/team/app/uploads/1', range: `0-${Math.max(0, size() - 1)}` });
  let isBroken = false;
  answer = async (request, response, path) => {
    const { method } = request;
    if (method === 'HEAD') return response.writeHead(404).end();
    if (method === 'POST')
      return response.writeHead(202, { ...told(), 'oci-chunk-min-length': `${minChunkBytes}` }).end();
    if (method === 'GET') return response.writeHead(204, told()).end();
    if (method === 'PUT') {
      const isRight = digestOf(Buffer.concat(stored)) === new URLSearchParams(path.split('?')[1]).get('digest');
      return response.writeHead(isRight ? 201 : 400).end();
    }
    chunks.push(request.headers['content-range'] ?? '');
    const bytes = await buffer(request);
    if (!isBroken && size() + bytes.length > breakAt) {
      isBroken = true;
      stored.push(bytes.subarray(0, breakAt - size()));
      return request.socket.destroy();
    }
    if (!request.headers['content-range']?.startsWith(`${size()}-`)) return response.writeHead(416, told()).end();
    stored.push(bytes);
    return response.writeHead(202, told()).end();
  };
  return { content: () => Buffer.concat(stored), chunks };
}

test('an upload goes on in the middle of a chunk', async () => {
  const uploads = openUploads({ breakAt: 450 });
  await using repository = await open();
  const told: number[] = [];
  await pushBlob(repository, BLOB, openContent, { chunkBytes: 300, onProgress: (done) => told.push(done) });
  expect(uploads.content()).toEqual(CONTENT);
  expect(uploads.chunks).toEqual(['0-299', '300-599', '450-749', '750-999']);
  expect(told).toContain(450);
  expect(told.at(-1)).toBe(1000);
});

test('chunks are as large as the registry wants them', async () => {
  const uploads = openUploads({ minChunkBytes: 700 });
  await using repository = await open();
  await pushBlob(repository, BLOB, openContent, { chunkBytes: 300 });
  expect(uploads.chunks).toEqual(['0-699', '700-999']);
});

test('an upload that is lost again and again is an error that says so', async () => {
  answer = (request, response) => {
    request.resume();
    if (request.method === 'POST') response.writeHead(202, { location: '/v2/team/app/uploads/1' }).end();
    else response.writeHead(request.method === 'PATCH' ? 416 : 404).end();
  };
  await using repository = await open();
  await expect(pushBlob(repository, BLOB, openContent, { chunkBytes: 300 })).rejects.toMatchObject({
    code: 'REGISTRY_FAILED',
    message: expect.stringContaining('has lost an upload to team/app again and again'),
  });
});

test('an upload is taken back after an interruption, too, with a token for that', async () => {
  const controller = new AbortController();
  const deleted: string[] = [];
  answer = (request, response, path) => {
    const { method, headers, url = '' } = request;
    const scopes = new URLSearchParams(url.split('?')[1]).getAll('scope').join(' ');
    if (path.startsWith('/token')) return response.end(JSON.stringify({ token: Buffer.from(scopes).toString('hex') }));
    const sent = Buffer.from(headers.authorization?.replace('Bearer ', '') ?? '', 'hex').toString();
    if (sent === '')
      return response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${host}/token"` }).end();
    if (method === 'HEAD') return response.writeHead(404).end();
    if (method === 'POST') return response.writeHead(202, { location: '/v2/team/app/uploads/1' }).end();
    if (method !== 'DELETE') return controller.abort(new Error('interrupted'));
    deleted.push(sent);
    return response.writeHead(204).end();
  };
  await using repository = await open({}, controller.signal);
  await expect(pushBlob(repository, BLOB, openContent)).rejects.toThrow('interrupted');
  expect(deleted).toEqual([expect.stringContaining('repository:team/app:delete')]);
});

test('blobs elsewhere: the token is not sent there', async () => {
  const elsewhere = createServer((request, response) => {
    expect(request.headers.authorization).toBeUndefined();
    response.end(CONTENT);
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
  const location = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/store?signature=secret`;
  let tokens = 0;
  answer = (request, response, path) => {
    if (path.startsWith('/token')) return response.end(JSON.stringify({ token: `token ${++tokens}` }));
    if (request.headers.authorization !== `Bearer token ${tokens}` || tokens === 0)
      return response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${host}/token"` }).end();
    return response.writeHead(307, { location }).end();
  };
  try {
    await using repository = await open();
    expect(await fetchBlob(repository, BLOB, dir)).toBe('fetched');
    expect(readFileSync(locateBlob(dir, BLOB.digest))).toEqual(CONTENT);
    expect(tokens).toBe(1);
    // Taken back by the registry before its time.
    tokens = 7;
    rmSync(locateBlob(dir, BLOB.digest));
    expect(await fetchBlob(repository, BLOB, dir)).toBe('fetched');
    expect(tokens).toBe(8);
  } finally {
    elsewhere.closeAllConnections();
    elsewhere.close();
  }
});

test('redirects end, and errors tell nothing of what their addresses carry', async () => {
  answer = (_request, response) => response.writeHead(307, { location: '/v2/team/app/again?signature=secret' }).end();
  await using repository = await open();
  const error = await fetchBlob(repository, BLOB, dir).catch((thrown: Error) => thrown.message);
  expect(error).toContain('5 redirects were not enough');
  expect(error).not.toContain('secret');
});

test('a redirect to what is no address is the registry’s fault', async () => {
  answer = (_request, response) => response.writeHead(307, { location: 'http://' }).end();
  await using repository = await open();
  await expect(fetchBlob(repository, BLOB, dir)).rejects.toMatchObject({
    code: 'REGISTRY_FAILED',
    message: expect.stringContaining('leads to what is no address'),
  });
});

test.each(['http://auth.example/token', 'ftp://auth.example/', 'http://', 'file:///etc/passwd'])(
  'no password goes to %s',
  async (realm) => {
    answer = (_request, response) => response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}"` }).end();
    await using repository = await open();
    await expect(fetchBlob(repository, BLOB, dir)).rejects.toMatchObject({
      code: 'REGISTRY_FAILED',
      message: expect.stringContaining('where no password may go'),
    });
  },
);

test('one that sends no parts is asked for all again', async () => {
  let fetches = 0;
  answer = (_request, response) => {
    fetches++;
    response.writeHead(200, { 'content-length': `${CONTENT.length}` });
    if (fetches > 1) return response.end(CONTENT);
    response.write(CONTENT.subarray(0, 500));
    return setTimeout(() => response.destroy(), 50);
  };
  await using repository = await open();
  const told: number[] = [];
  await fetchBlob(repository, BLOB, dir, (done) => told.push(done));
  expect(readFileSync(locateBlob(dir, BLOB.digest))).toEqual(CONTENT);
  // With a range, of which it takes no notice, and without.
  expect(fetches).toBe(3);
  expect(told).toEqual([0, 500, 0, 0, 1000]);
});

test('one that sends no parts and always breaks is given up', async () => {
  const content = Buffer.alloc(300_000, 'x');
  let fetches = 0;
  answer = (_request, response) => {
    fetches++;
    response.writeHead(200, { 'content-length': `${content.length}` }).write(content.subarray(0, 200_000));
    setTimeout(() => response.destroy(), 50);
  };
  await using repository = await open();
  const blob = { digest: digestOf(content), sizeBytes: content.length };
  await expect(fetchBlob(repository, blob, dir)).rejects.toMatchObject({ code: 'REGISTRY_FAILED' });
  expect(fetches).toBeLessThan(10);
});

test('one that forgets each chunk that it takes is given up', async () => {
  let chunks = 0;
  answer = (request, response) => {
    request.resume();
    const headers = { location: '/v2/team/app/uploads/1', range: '0-99' };
    if (request.method === 'PATCH') chunks++;
    response.writeHead(request.method === 'HEAD' ? 404 : 202, headers).end();
  };
  await using repository = await open();
  await expect(pushBlob(repository, BLOB, openContent, { chunkBytes: 100 })).rejects.toMatchObject({
    code: 'REGISTRY_FAILED',
  });
  expect(chunks).toBeLessThan(10);
});

test('one that sends more than was promised fills no disk', async () => {
  answer = (_request, response) => {
    const pour = () => {
      while (response.write(Buffer.alloc(1 << 16)));
    };
    response.on('drain', pour);
    pour();
  };
  await using repository = await open();
  await expect(fetchBlob(repository, BLOB, dir)).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
});

test('one that stores a manifest under another digest', async () => {
  answer = (request, response) => {
    request.resume();
    response.writeHead(201, { 'docker-content-digest': BLOB.digest }).end();
  };
  await using repository = await open();
  await expect(
    pushManifest(repository, { mediaType: MEDIA_TYPES.manifest, bytes: Buffer.from('{}') }, 'x'),
  ).rejects.toMatchObject({
    code: 'REGISTRY_FAILED',
    message: expect.stringContaining(`as ${BLOB.digest} and not as`),
  });
});

test('one with a list of referrers, in pages, and an index of its own for none', async () => {
  const subject = digestOf('subject');
  const entry = (name: string) => ({
    mediaType: MEDIA_TYPES.manifest,
    digest: digestOf(name),
    size: 2,
    artifactType: name,
  });
  answer = (request, response, path) => {
    request.resume();
    if (request.method === 'PUT') return response.writeHead(201, { 'oci-subject': subject }).end();
    const isFirst = !path.includes('page=2');
    const link = { link: `</v2/team/app/referrers/${subject}?page=2>; rel="next"` };
    response.writeHead(200, { 'content-type': MEDIA_TYPES.index, ...(isFirst ? link : {}) });
    return response.end(
      JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests: [entry(isFirst ? 'a/b' : 'c/d')] }),
    );
  };
  await using repository = await open();
  expect((await listReferrers(repository, subject)).map(({ artifactType }) => artifactType)).toEqual(['a/b', 'c/d']);
  expect((await listReferrers(repository, subject, 'c/d')).map(({ digest }) => digest)).toEqual([digestOf('c/d')]);
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, artifactType: 'a/b', subject: { digest: subject } }));
  seen.length = 0;
  expect(await pushReferrer(repository, { mediaType: MEDIA_TYPES.manifest, bytes })).toBe(digestOf(bytes));
  expect(seen).toEqual([`PUT manifests/${digestOf(bytes)}`]);
});

test('a list of referrers that leads round in a circle ends', async () => {
  const subject = digestOf('subject');
  const link = `</v2/team/app/referrers/${subject}>; rel="next"`;
  answer = (_request, response) =>
    response
      .writeHead(200, { 'content-type': MEDIA_TYPES.index, link })
      .end(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests: [] }));
  await using repository = await open();
  await expect(listReferrers(repository, subject)).rejects.toMatchObject({
    code: 'REGISTRY_FAILED',
    message: expect.stringContaining('has more than 100 pages'),
  });
  expect(seen).toHaveLength(100);
});

test('one behind a proxy that ends TLS, and does not know it', () => {
  const url = new URL('https://registry.example/v2/a/blobs/uploads/');
  const locate = (location: string) =>
    parseLocation({ headers: { location }, url } as unknown as Parameters<typeof parseLocation>[0]).href;
  expect(locate('http://registry.example/v2/x?_state=1')).toBe('https://registry.example/v2/x?_state=1');
  expect(locate('/v2/x')).toBe('https://registry.example/v2/x');
  expect(locate('https://other.example/x')).toBe('https://other.example/x');
});
