import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listReadyScripts } from '../../../src/config/ready-scripts.ts';
import { launchApp } from '../../../src/stages/launch.ts';
import { warmUpApp } from '../../../src/stages/warm-up.ts';
import { type FakeApp, openFakeEngine } from '../../support/fake-engine.ts';
import { fakeWorld, NO_IMAGE } from '../../support/fake-world.ts';
import { samplePlan } from '../../support/sample-plan.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'crac-ready-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function use(name: string, options: Record<string, unknown>, app: FakeApp, count = 2) {
  const script = (await listReadyScripts()).get(name);
  if (script === undefined) throw new Error(`there is no ${name}`);
  const engine = openFakeEngine(app);
  const world = { ...fakeWorld(engine), workDir: dir };
  const scenarios = [{ name, script, options, count }];
  const plan = samplePlan({ readiness: { tcp: 8080 }, warmUp: { scenarios, timeout: 10_000 } });
  await using running = await launchApp(plan, NO_IMAGE, world);
  const { report, error } = await warmUpApp(plan, running, world).then(
    (report) => ({ report, error: undefined }),
    (error: Error) => ({ report: undefined, error }),
  );
  const endpoints = report?.endpoints.map(({ method, path, count }) => `${method} ${path} ${count}`);
  const told = world.events.flatMap((event) => (event.type === 'stage-progress' ? [event.text] : []));
  return { error, endpoints, told, requests: engine.requests };
}

test('all ready scripts are tested here', async () => {
  expect([...(await listReadyScripts()).keys()]).toEqual(['collection', 'login', 'openapi', 'websocket']);
});

describe('collection', () => {
  /** The items that there are, by path. */
  const serving = (): FakeApp => {
    const items = new Set<string>();
    let last = 0;
    return {
      answer: ({ method, url = '' }, body) => {
        if (method === 'POST') {
          if (body.includes('""')) return { status: 422 };
          const place = `/orders/${++last}`;
          items.add(place);
          return { status: 201, headers: { location: `http://behind.example${place}` } };
        }
        if (method === 'DELETE') return { status: items.delete(url) ? 204 : 404 };
        return { status: url === '/orders' || url.startsWith('/orders/search') || items.has(url) ? 200 : 404 };
      },
    };
  };
  const options = {
    path: '/orders',
    item: { name: 'tea' },
    invalid: { name: '' },
    unknown: '/orders/0',
    searches: ['/orders/search?q=tea'],
  };

  test('lists, searches, makes mistakes, creates, reads and deletes', async () => {
    const { error, endpoints, requests } = await use('collection', options, serving());
    expect(error).toBeUndefined();
    const run = (id: number) => [
      ...['GET /orders', 'GET /orders/search?q=tea', 'GET /orders/0', 'POST /orders', 'POST /orders'],
      ...[`GET /orders/${id}`, `DELETE /orders/${id}`],
    ];
    expect(requests).toEqual([...run(1), ...run(2)]);
    expect(endpoints).toEqual([
      ...['GET /orders 2', 'GET /orders/search 2', 'GET /orders/{unknown} 2', 'POST /orders (invalid) 2'],
      ...['POST /orders 2', 'GET /orders/{id} 2', 'DELETE /orders/{id} 2'],
    ]);
  });

  test('keeps what an app cannot delete, and finds an item by its id', async () => {
    const app: FakeApp = {
      answer: ({ method }) => (method === 'POST' ? { status: 201, body: '{"id":7}' } : { status: 200 }),
    };
    const { error, requests } = await use('collection', { path: '/orders', item: {}, keep: true }, app, 1);
    expect(error).toBeUndefined();
    expect(requests).toEqual(['GET /orders', 'POST /orders', 'GET /orders/7']);
  });

  test.each<[string, Record<string, unknown>, FakeApp, RegExp]>([
    ['is not told where the collection is', { item: {} }, serving(), /options\.path is missing/],
    [
      'meets an app that takes everything',
      { ...options, unknown: undefined },
      { answer: () => ({ status: 200 }) },
      /POST \/orders answered 200 to what options\.invalid has, and was to refuse it with 400 or 422/,
    ],
    [
      'meets an app that deletes nothing',
      { path: '/orders', item: {} },
      {
        answer: ({ method }) => ({ status: method === 'GET' ? 200 : method === 'POST' ? 201 : 405, body: '{"id":7}' }),
      },
      /DELETE \/orders\/7 answered 405: give keep: true to an app that deletes nothing/,
    ],
  ])('fails where it %s', async (_, given, app, message) => {
    const { error } = await use('collection', given, app);
    expect(error).toMatchObject({ code: 'WARM_UP_FAILED', message: expect.stringMatching(message) });
  });
});

describe('openapi', () => {
  const document = {
    openapi: '3.0.1',
    servers: [{ url: 'http://generated.example/api/' }],
    components: { parameters: { Page: { name: 'page', in: 'query', required: true, schema: { default: 0 } } } },
    paths: {
      '/orders': {
        get: { parameters: [{ $ref: '#/components/parameters/Page' }, { name: 'q', in: 'query' }] },
        post: {},
      },
      '/orders/{id}/lines/{line}': {
        parameters: [{ name: 'id', in: 'path', required: true }],
        get: { parameters: [{ name: 'line', in: 'path', example: 'a b' }] },
      },
      '/users/{name}': { get: {} },
      '/admin/stop': { get: {} },
      '/items': { delete: {} },
    },
  };
  const serving = (status: number, served: object = document): FakeApp => ({
    answer: ({ url }) =>
      url === '/v3/api-docs' || url === '/swagger.json'
        ? { status: 200, body: JSON.stringify(served) }
        : { status: url?.startsWith('/api/orders?') ? status : 404 },
  });

  test('asks all GETs for which there are values, and nothing else', async () => {
    const { error, endpoints, told, requests } = await use(
      'openapi',
      { values: { id: 17 }, skip: ['/admin'] },
      serving(200),
    );
    expect(error).toBeUndefined();
    expect(requests).toEqual([
      'GET /v3/api-docs',
      ...['GET /api/orders?page=0', 'GET /api/orders/17/lines/a%20b'],
      ...['GET /api/orders?page=0', 'GET /api/orders/17/lines/a%20b'],
    ]);
    expect(endpoints).toEqual(['GET /v3/api-docs 1', 'GET /api/orders 2', 'GET /api/orders/{id}/lines/{line} 2']);
    expect(told.filter((line) => line.includes('left out'))).toEqual([
      'openapi: GET /users/{name} is left out: options.values has no name',
    ]);
  });

  test('reads version 2', async () => {
    const paths = { '/a': { get: { parameters: [{ name: 'kind', in: 'query', required: true, enum: ['x', 'y'] }] } } };
    const served = { swagger: '2.0', basePath: '/v1', paths };
    const { requests } = await use('openapi', { document: '/swagger.json' }, serving(200, served));
    expect(requests).toEqual(['GET /swagger.json', 'GET /v1/a?kind=x', 'GET /v1/a?kind=x']);
  });

  test.each([
    ['an answer of 5xx', serving(503), /openapi\.ts:\d+: GET \/api\/orders\?page=0 answered 503$/],
    [
      'a document without GETs',
      serving(200, { paths: {} }),
      /: \/v3\/api-docs has nothing that can be asked with GET$/,
    ],
    ['no document', { answer: () => ({ status: 404 }) }, /: GET \/v3\/api-docs answered 404 instead of 200$/],
  ] satisfies [string, FakeApp, RegExp][])('%s fails', async (_, app, message) => {
    expect((await use('openapi', { values: { id: 1 } }, app)).error?.message).toMatch(message);
  });
});

describe('login', () => {
  const form = `<form action="/search"><input name=q></form>
<form method="post" action="/session?x=1"><input type="hidden" name="_csrf" value="a&amp;b"><input name="username"></form>`;
  /** A session is known by its cookie, and is made by the right password and token alone. */
  const site: FakeApp = {
    answer: ({ method, url, headers }, body) => {
      if (url === '/login') return { status: 200, body: form, headers: { 'set-cookie': 'visit=1; Path=/' } };
      if (method === 'POST') {
        const isRight =
          new URLSearchParams(body).toString() === '_csrf=a%26b&username=u&password=p%3D' &&
          headers.cookie === 'visit=1';
        const cookie = isRight ? { 'set-cookie': 'session=2; Path=/' } : {};
        return { status: 302, headers: { location: isRight ? '/home?new' : '/login?error', ...cookie } };
      }
      return { status: headers.cookie?.includes('session=2') ? 200 : 401 };
    },
  };

  test('logs in with the form’s own fields, and visits pages', async () => {
    const options = { fields: { username: 'u', password: 'p=' }, pages: ['/a', '/b'], landsAt: '/home' };
    const { error, requests, endpoints } = await use('login', options, site, 1);
    expect(error).toBeUndefined();
    expect(requests).toEqual(['GET /login', 'POST /session?x=1', 'GET /home?new', 'GET /a', 'GET /b']);
    expect(endpoints).toContain('GET /home 1');
  });

  test.each([
    [{ fields: { username: 'u', password: 'wrong' } }, /: the login at \/session\?x=1 leads to \/login\?error$/],
    [
      { fields: { username: 'u', password: 'p=' }, landsAt: '/' },
      /: the login at \/session\?x=1 leads to \/home\?new$/,
    ],
    [{ login: '/secret' }, /: GET \/secret answered 401 instead of 200$/],
  ])('%j fails', async (options, message) => {
    expect((await use('login', options, site)).error?.message).toMatch(message);
  });
});

describe('websocket', () => {
  /** https://www.rfc-editor.org/rfc/rfc6455: short text frames are sent back. */
  const echo = (answer: (text: string) => string | undefined): FakeApp => ({
    onServer: (server: Server) =>
      server.on('upgrade', ({ headers, url }, socket: Socket) => {
        if (url !== '/chat') {
          socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
          return;
        }
        const key = createHash('sha1').update(`${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
        const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade'];
        socket.write(`${[...lines, `Sec-WebSocket-Accept: ${key.digest('base64')}`].join('\r\n')}\r\n\r\n`);
        socket.on('error', () => {});
        socket.on('data', (frame) => {
          const [opcode = 0, length = 0] = [(frame[0] ?? 0) & 15, (frame[1] ?? 0) & 127];
          const text = frame.subarray(6, 6 + length).map((byte, at) => byte ^ (frame[2 + (at % 4)] ?? 0));
          const sent = opcode === 1 ? answer(Buffer.from(text).toString()) : undefined;
          if (sent === undefined) socket.end(Buffer.from([0x88, 2, 0x03, 0xf3]));
          else socket.write(Buffer.concat([Buffer.from([0x81, sent.length]), Buffer.from(sent)]));
        });
      }),
  });
  const options = { path: '/chat', messages: ['hello', 'again'], contains: '!' };

  test('sends messages and takes their answers', async () => {
    const heard: string[] = [];
    const app = echo((text) => (heard.push(text) > 0 ? `${text}!` : undefined));
    const { error, endpoints } = await use('websocket', options, app);
    expect(error).toBeUndefined();
    expect(heard).toEqual(['hello', 'again', 'hello', 'again']);
    expect(endpoints).toEqual(['ws-open /chat 2', 'ws /chat 4']);
  });

  test.each([
    ['an answer that is wrong', echo((text) => text), options, /: the WebSocket \/chat answered "hello" without "!"$/],
    ['a connection that ends', echo(() => undefined), options, /: the WebSocket was closed with code 1011 \(ws:\/\//],
    ['no WebSocket', echo(() => ''), { path: '/none' }, /: the WebSocket failed: .* \(ws:\/\/127.0.0.1:\d+\/none\)$/],
  ] satisfies [string, FakeApp, object, RegExp][])('%s fails', async (_, app, given, message) => {
    expect((await use('websocket', { ...given }, app)).error?.message).toMatch(message);
  });
});
