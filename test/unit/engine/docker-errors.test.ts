import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { connectEngine } from '../../../src/engine/connect.ts';
import { connectDocker } from '../../../src/engine/docker.ts';
import { collectFrames, drainProgress, joinFrames } from '../../../src/engine/docker-streams.ts';
import type { ContainerSpec, Engine } from '../../../src/engine/engine.ts';
import type { Layer } from '../../../src/oci/image.ts';
import { checkCompression } from '../../../src/stages/check-compression.ts';
import { NO_IMAGE } from '../../support/fake-world.ts';

const signal = new AbortController().signal;

type Answer = (request: IncomingMessage, response: ServerResponse) => void;
let server: Server | undefined;
let answers: Record<string, Answer>;
const seen: string[] = [];

/** A daemon that answers as told, by "METHOD /path" without the query; 404 to all else. */
async function fakeDaemon(more: Record<string, Answer>): Promise<string> {
  answers = {
    'GET /version': json({ Version: '20.10.24', ApiVersion: '1.41' }),
    'GET /containers/json': json([]),
    ...more,
  };
  server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      const key = `${request.method} ${request.url?.split('?')[0]}`;
      seen.push(key);
      const answer = answers[key] ?? status(404, `no such thing: ${key}`);
      answer(request, response);
    });
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  seen.length = 0;
});

const json =
  (body: unknown, code = 200): Answer =>
  (_, response) => {
    response.writeHead(code, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
  };
const status = (code: number, message: string): Answer => json({ message }, code);

async function connect(more: Record<string, Answer>): Promise<Engine> {
  return await connectDocker({ DOCKER_HOST: await fakeDaemon(more) }, signal);
}

const spec: ContainerSpec = {
  image: 'x:y',
  name: 'crac-build-x',
  environment: {},
  capabilities: [],
  seccomp: 'default',
  noNewPrivileges: true,
  readOnlyRoot: false,
  tmpfs: [],
  ports: [],
  network: 'isolated',
};

test('layers compressed with zstd are for Docker 23 and newer; an older one is told nothing of them', async () => {
  const zstd = { ...NO_IMAGE, layers: [{ compression: 'zstd' } as Layer] };
  const old = await connect({});
  expect(old.layerCompressions).toEqual(['gzip']);
  await expect(old.loadImage(zstd, 'x:y', signal)).rejects.toMatchObject({
    code: 'ENGINE_UNAVAILABLE',
    message: expect.stringMatching(/^Docker 20\.10\.24 at \S+ cannot read layers compressed with zstd/),
    hint: expect.stringContaining('--compression gzip'),
  });
  await expect(checkCompression({ compression: 'zstd', compressionLevel: 6 }, old)).rejects.toMatchObject({
    code: 'ENGINE_UNAVAILABLE',
  });
  await checkCompression({ compression: 'gzip', compressionLevel: 6 }, old);
  expect(seen).not.toContain('POST /images/load');
  server?.close();

  const young = await connect({ 'GET /version': json({ Version: '23.0.0', ApiVersion: '1.42' }) });
  expect(young.layerCompressions).toEqual(['gzip', 'zstd']);
  await checkCompression({ compression: 'zstd', compressionLevel: 6 }, young);
});

test.each([
  [500, 'driver failed', 'ENGINE_FAILED'],
  [400, 'invalid CapAdd: unknown capability', 'ENGINE_FAILED'],
  [403, 'authorization denied by plugin', 'ENGINE_DENIED'],
  [500, 'write /var/lib/docker/x: no space left on device', 'NO_SPACE'],
  [304, '', 'ENGINE_FAILED'],
])('create answered with %d "%s" is %s', async (code, message, expected) => {
  const engine = await connect({ 'POST /containers/create': status(code, message) });
  await expect(engine.launchContainer(spec, signal)).rejects.toMatchObject({
    code: expected,
    message: expect.stringContaining(message),
  });
});

test('a container that was created but does not start is removed', async () => {
  const engine = await connect({
    'POST /containers/create': json({ Id: 'abc' }, 201),
    'POST /containers/abc/start': status(400, 'exec: "/bin/missing": stat /bin/missing: no such file or directory'),
    'DELETE /containers/abc': (_, response) => response.writeHead(204).end(),
  });
  await expect(engine.launchContainer(spec, signal)).rejects.toMatchObject({
    code: 'ENGINE_FAILED',
    message: expect.stringContaining('/bin/missing'),
  });
  expect(seen).toContain('DELETE /containers/abc');
});

test.each([
  [
    '{"stream":"Loading"}\n{"errorDetail":{"message":"archive is broken"},"error":"archive is broken"}\n',
    'ENGINE_FAILED',
  ],
  ['{"error":"write /layer: no space left on device"}', 'NO_SPACE'],
  ['<html>proxy error</html>', 'ENGINE_FAILED'],
])('images/load that says 200 and then %s is %s', async (body, expected) => {
  const engine = await connect({
    'POST /images/load': (_, response) => response.writeHead(200, { 'Content-Type': 'application/json' }).end(body),
  });
  await expect(engine.loadImage(NO_IMAGE, 'x:y', signal)).rejects.toMatchObject({ code: expected });
});

test('images/load that claims success without an image is an error', async () => {
  const engine = await connect({ 'POST /images/load': json({ stream: 'Loaded' }) });
  await expect(engine.loadImage(NO_IMAGE, 'x:y', signal)).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
});

test('no daemon, a daemon that breaks off, and an unknown DOCKER_HOST are told apart', async () => {
  await expect(connectDocker({ DOCKER_HOST: 'unix:///nonexistent/docker.sock' }, signal)).rejects.toMatchObject({
    code: 'ENGINE_UNAVAILABLE',
    hint: expect.stringContaining('--engine oci'),
  });
  const broken = await fakeDaemon({ 'GET /version': (request) => request.socket.destroy() });
  await expect(connectDocker({ DOCKER_HOST: broken }, signal)).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
  await expect(connectDocker({ DOCKER_HOST: 'ssh://host' }, signal)).rejects.toMatchObject({
    code: 'ENGINE_UNAVAILABLE',
  });
});

test('auto does not pass over a daemon that was named or that answers with an error', async () => {
  const options = { cacheDir: '/nonexistent', nativeDir: '/nonexistent', signal };
  const host = await fakeDaemon({ 'GET /version': status(500, 'sick') });
  for (const DOCKER_HOST of [host, 'unix:///nonexistent/docker.sock']) {
    await expect(connectEngine('auto', { ...options, environment: { DOCKER_HOST } })).rejects.toMatchObject({
      code: DOCKER_HOST === host ? 'ENGINE_FAILED' : 'ENGINE_UNAVAILABLE',
    });
  }
});

test('frames are put together across chunks, and a torn stream is an error', async () => {
  const frame = (stream: number, text: string): Buffer => {
    const head = Buffer.alloc(8);
    head[0] = stream;
    head.writeUInt32BE(Buffer.byteLength(text), 4);
    return Buffer.concat([head, Buffer.from(text)]);
  };
  const all = Buffer.concat([frame(1, 'one'), frame(2, 'two'), frame(1, 'thrée'), frame(2, '')]);
  const bytes = Readable.from([...all].map((byte) => Buffer.from([byte])));
  expect(await collectFrames(bytes)).toEqual({ stdout: 'onethrée', stderr: 'two' });
  expect(joinFrames(all)).toBe('onetwothrée');
  await expect(collectFrames(Readable.from([all.subarray(0, 14)]))).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
});

test('progress lines may be cut anywhere', async () => {
  const text = '{"stream":"a"}\r\n{"status":"b"}\n{"stream":"c"}';
  const chunks = Readable.from([...text].map((character) => Buffer.from(character)));
  expect(await drainProgress(chunks, 'load')).toEqual(['a', 'c']);
});
