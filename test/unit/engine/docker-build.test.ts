import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { buildDockerfile, composeTag } from '../../../src/base/build-dockerfile.ts';
import { buildWithDocker } from '../../../src/engine/docker-build.ts';
import { saveDockerImage } from '../../../src/engine/docker-save.ts';

interface Asked {
  readonly method: string;
  readonly url: URL;
  readonly auth: string | undefined;
}

let dir: string;
let server: Server;
let asked: Asked[];
/** What the daemon has to say of a build. */
let answer: (response: ServerResponse) => void;
let apiVersion: string;
let builtTag = 'x:y';
let readsContext: boolean;
const told: string[] = [];

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'docker-build-'));
  asked = [];
  told.length = 0;
  apiVersion = '1.41';
  readsContext = true;
  answer = (response) => response.end('{"stream":"Step 1/1 : FROM x\\n"}\n{"stream":"\\n"}\n');
  server = createServer((request, response) => void serve(request, response));
  await new Promise<void>((resolve) => server.listen(join(dir, 'docker.sock'), resolve));
  writeFileSync(join(dir, 'Dockerfile'), 'ARG BASE=r.example/a:1\nFROM $BASE\n');
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(dir, { recursive: true });
});

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '', 'http://docker');
  asked.push({ method: request.method ?? '', url, auth: request.headers['x-registry-auth'] as string | undefined });
  if (url.pathname.endsWith(`/images/${builtTag}/json`)) response.end('{"Id":"sha256:built"}');
  else if (url.pathname.endsWith('/version')) response.end(JSON.stringify({ ApiVersion: apiVersion, Version: 'x' }));
  else if (url.pathname.endsWith('/build')) {
    if (readsContext) await buffer(request);
    answer(response);
  } else if (url.pathname.endsWith('/get')) response.end('archive');
  else if (url.pathname.includes('/images/create')) response.end('{"status":"pulled"}\n');
  else if (url.pathname.endsWith('/json') && asked.some((one) => one.url.pathname.includes('/images/create')))
    response.end('{"Id":"sha256:pulled"}');
  else response.writeHead(404).end('{"message":"no such image"}');
}

const build = async (environment: Readonly<Record<string, string>> = {}, controller = new AbortController()) =>
  await buildWithDocker(
    { file: join(dir, 'Dockerfile'), context: dir, buildArguments: { A: 'b' }, target: 't', tag: 'x:y' },
    { DOCKER_HOST: `unix://${join(dir, 'docker.sock')}`, HOME: dir, ...environment },
    { signal: controller.signal, tell: (line) => void told.push(line) },
  );

test('the daemon is told everything, and what it says is told on', async () => {
  expect(await build()).toBe('sha256:built');
  const { url } = asked.find(({ url: { pathname } }) => pathname.endsWith('/build')) ?? {};
  expect(Object.fromEntries(url?.searchParams ?? [])).toMatchObject({
    ...{ dockerfile: 'Dockerfile', t: 'x:y', buildargs: '{"A":"b"}', target: 't', version: '1' },
  });
  expect(told).toEqual(['Step 1/1 : FROM x']);
  expect(asked.map(({ url: { pathname } }) => pathname).filter((path) => path.includes('create'))).toEqual([]);
});

test('a step that fails', async () => {
  answer = (response) =>
    response.end(
      '{"stream":"Step 2/2 : RUN false\\n"}\n{"errorDetail":{"code":1,"message":"returned 1"},"error":"returned 1"}\n',
    );
  await expect(build()).rejects.toMatchObject({
    code: 'ENGINE_FAILED',
    message: `Docker failed to build ${join(dir, 'Dockerfile')}: returned 1`,
    details: ['Step 2/2 : RUN false'],
  });
});

test('interrupted while it builds: the connection is closed, which ends the build', async () => {
  const controller = new AbortController();
  let closed = false;
  answer = (response) => {
    response.on('close', () => {
      closed = true;
    });
    response.write('{"stream":"Step 1/2 : FROM x\\n"}\n');
    setTimeout(() => controller.abort(), 50);
  };
  await expect(build({}, controller)).rejects.toMatchObject({ code: 'INTERRUPTED' });
  for (let left = 100; !closed && left > 0; left--) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(closed).toBe(true);
});

test('interrupted while the context is sent', async () => {
  writeFileSync(join(dir, 'large'), Buffer.alloc(32 << 20)); // more than any buffer between us takes
  readsContext = false;
  const controller = new AbortController();
  answer = () => setTimeout(() => controller.abort(), 50);
  await expect(build({}, controller)).rejects.toMatchObject({ code: 'INTERRUPTED' });
});

test('an image of a registry that credentials are there for is pulled with them beforehand', async () => {
  const auth = Buffer.from('me:secret').toString('base64');
  writeFileSync(join(dir, 'config.json'), JSON.stringify({ auths: { 'r.example': { auth } } }));
  await build({ DOCKER_CONFIG: dir });
  const pull = asked.find(({ url: { pathname } }) => pathname.includes('/images/create'));
  expect(Object.fromEntries(pull?.url.searchParams ?? [])).toEqual({ fromImage: 'r.example/a', tag: '1' });
  expect(JSON.parse(Buffer.from(pull?.auth ?? '', 'base64').toString())).toEqual({
    username: 'me',
    password: 'secret',
  });
  expect(asked.indexOf(pull as Asked)).toBeLessThan(asked.findIndex(({ url }) => url.pathname.endsWith('/build')));
});

test('docker:REFERENCE is pulled with them, too', async () => {
  const auth = Buffer.from('me:secret').toString('base64');
  writeFileSync(join(dir, 'config.json'), JSON.stringify({ auths: { 'r.example': { auth } } }));
  const environment = { DOCKER_HOST: `unix://${join(dir, 'docker.sock')}`, HOME: dir, DOCKER_CONFIG: dir };
  await saveDockerImage('r.example/a:1', join(dir, 'saved.tar'), environment, new AbortController().signal);
  const pull = asked.find(({ url: { pathname } }) => pathname.includes('/images/create'));
  expect(JSON.parse(Buffer.from(pull?.auth ?? '', 'base64').toString())).toMatchObject({ username: 'me' });
  expect(readFileSync(join(dir, 'saved.tar'), 'utf8')).toBe('archive');
});

test('what is built is taken by its id; its name is of all that it is built from', async () => {
  const environment = { DOCKER_HOST: `unix://${join(dir, 'docker.sock')}`, HOME: dir };
  const settings = { file: join(dir, 'Dockerfile'), context: dir, buildArguments: { A: 'b', B: 'c' } };
  builtTag = composeTag(settings);
  const built = await buildDockerfile(settings, 'docker', {
    ...{ environment, workDir: dir, report: () => {}, signal: new AbortController().signal },
  });
  expect(built).toEqual({ name: `docker:${builtTag}`, address: { kind: 'docker', reference: 'sha256:built' } });
  expect(composeTag({ ...settings, buildArguments: { B: 'c', A: 'b' } })).toBe(builtTag);
  expect(composeTag({ ...settings, buildArguments: { A: 'b', B: 'other' } })).not.toBe(builtTag);
  expect(composeTag({ ...settings, target: 'x' })).not.toBe(builtTag);
});
