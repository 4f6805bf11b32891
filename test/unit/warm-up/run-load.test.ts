import { getMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Settings } from '../../../src/config/settings.ts';
import { openPools } from '../../../src/warm-up/open-pools.ts';
import { runFixed, runMixed } from '../../../src/warm-up/run-load.ts';
import { readSentFiles, type Sample, type Traffic } from '../../../src/warm-up/run-scenario.ts';
import { samplePlan } from '../../support/sample-plan.ts';
import { type Handler, PEM, type Served, serve } from './serve.ts';

type WarmUp = NonNullable<Settings['warmUp']>;

interface Options {
  /** Of answered requests. */
  readonly requests?: number;
  readonly kind?: Parameters<typeof serve>[1];
  readonly signal?: AbortSignal;
}

/** Runs what `warmUp` mixes against a real server, and says what that has seen. */
async function run(warmUp: WarmUp, handle: Handler, { requests = 100, kind, signal }: Options = {}) {
  await using served = await serve(handle, kind);
  return { ...(await load(served, warmUp, requests, signal)), served };
}

async function load(served: Served, warmUp: WarmUp, requests: number, signal = AbortSignal.timeout(20_000)) {
  const { scenarios, pace, seed, connection } = samplePlan({ warmUp }).warmUp;
  const samples: Sample[] = [];
  const concurrency = pace.kind === 'users' ? pace.concurrency : undefined;
  const pools = await openPools(served, scenarios, connection, concurrency);
  const files = await readSentFiles(scenarios);
  const traffic: Traffic = {
    pools,
    files,
    onSample: (sample) => samples.push(sample),
    pending: new Set(),
    runOther: async () => {},
  };
  const isOver = () => samples.length >= requests;
  const startedMs = performance.now();
  try {
    await runMixed(scenarios, pace, { seed, firstN: 0, traffic, signal }, isOver);
  } finally {
    await pools[Symbol.asyncDispose]();
    /** A server learns of it a moment later. */
    for (let tries = 0; served.openConnections() > 0 && tries < 100; tries++) await sleep(10);
    expect(served.openConnections()).toBe(0);
  }
  const lines = served.requests.map(({ line }) => line);
  return { samples, lines, requests: served.requests, elapsedMs: performance.now() - startedMs, traffic };
}

const ok: Handler = (_, response) => response.end('ok');
const get = (path: string, expect: object = {}) => ({ method: 'GET', path, expect });

const SHOP: WarmUp = {
  scenarios: [
    { name: 'browse', weight: 3, steps: [get('/'), get('/items/{{n}}')] },
    { name: 'search', steps: [get('/search?q={{random}}')] },
  ],
};

describe('a user', () => {
  /** Orders: POST makes one and tells its number and place, GET asks for it. */
  const orders: Handler = ({ line, body }, response) => {
    if (line === 'POST /orders') {
      const { item } = JSON.parse(body);
      response.writeHead(201, { location: `http://shop.example/orders/${item * 10}?v=1` });
      response.end(`{"order":{"id":${item * 10}},"token":"t-${item}"}`);
    } else response.end(`<input name=csrf value="c${line}">`);
  };

  test('goes from step to step with what was captured', async () => {
    const { lines, requests } = await run(
      {
        scenarios: [
          {
            steps: [
              {
                method: 'POST',
                path: '/orders',
                json: { item: '{{n}}' },
                expect: { status: 201, json: { required: ['order'] } },
                capture: { id: { json: '$.order.id' }, place: { header: 'Location' }, token: { regex: '"(t-.*?)"' } },
              },
              { path: '{{place}}', headers: { authorization: 'Bearer {{token}}' } },
              { method: 'PUT', path: '/orders/{{id}}', json: { id: '{{id}}' }, expect: { contains: '/{{id}}' } },
            ],
          },
        ],
      },
      orders,
      { requests: 6 },
    );
    expect(lines).toEqual([
      ...['POST /orders', 'GET /orders/10?v=1', 'PUT /orders/10'],
      ...['POST /orders', 'GET /orders/20?v=1', 'PUT /orders/20'],
    ]);
    expect(requests[0]).toMatchObject({ body: '{"item":1}', headers: { 'content-type': 'application/json' } });
    expect(requests[1]?.headers['authorization']).toBe('Bearer t-1');
    expect(requests[5]?.body).toBe('{"id":20}');
  });

  test('has cookies of its own, which stay', async () => {
    let sessions = 0;
    const { requests } = await run(
      { scenarios: [{ steps: [get('/login'), get('/me')] }], concurrency: 2 },
      ({ line, headers }, response) => {
        if (line === 'GET /login' && headers.cookie === undefined) response.setHeader('set-cookie', `s=${++sessions}`);
        response.end();
      },
      { requests: 40 },
    );
    expect(sessions).toBe(2);
    const cookies = requests.filter(({ line }) => line === 'GET /me').map(({ headers }) => headers.cookie);
    expect(new Set(cookies)).toEqual(new Set(['s=1', 's=2']));
  });

  test('takes its time', async () => {
    const { elapsedMs } = await run({ scenarios: [{ steps: [{ path: '/', think: 50 }] }] }, ok, { requests: 4 });
    expect(elapsedMs).toBeGreaterThanOrEqual(190);
  });

  test('sends a form with a file', async () => {
    const { requests } = await run(
      {
        scenarios: [
          {
            steps: [{ method: 'POST', path: '/upload', form: { n: '{{n}}', pem: { file: PEM, type: 'text/x-pem' } } }],
          },
        ],
      },
      ok,
      { requests: 2 },
    );
    expect(requests[1]?.headers['content-type']).toMatch(/^multipart\/form-data; boundary=/);
    expect(requests[1]?.body).toMatch(
      /name="n"\s+2\s[\s\S]*name="pem"; filename="app.example.pem"\s+Content-Type: text\/x-pem\s+-----BEGIN/,
    );
  });
});

describe('the sequence', () => {
  const sequence = async (warmUp: WarmUp) => (await run(warmUp, ok, { requests: 200 })).lines;

  test('is the same for the same seed, and another for another', async () => {
    const first = await sequence(SHOP);
    expect(await sequence({ ...SHOP, seed: 1 })).toEqual(first);
    const other = await sequence({ ...SHOP, seed: 2 });
    expect(other).not.toEqual(first);
  }, 20_000);

  test('of each of several users is the same, however quickly the app answers', async () => {
    const byUser = async (slowUser: string) => {
      const scenarios = [
        { weight: 2, steps: [get('/a?user={{user}}&n={{n}}&random={{random}}')] },
        { steps: [get('/b?user={{user}}&n={{n}}')] },
      ];
      const { lines } = await run(
        { scenarios, concurrency: 3 },
        async ({ line }, response) => {
          if (line.includes(`user=${slowUser}`)) await sleep(3);
          response.end();
        },
        { requests: 300 },
      );
      return ['1', '2', '3'].map((user) => lines.filter((line) => line.includes(`user=${user}&`)).slice(0, 8));
    };
    const first = await byUser('1');
    expect(await byUser('3')).toEqual(first);
    expect(first.map((lines) => lines.length)).toEqual([8, 8, 8]);
    expect(first[1]?.map((line) => /n=(\d+)/.exec(line)?.[1])).toEqual('2 5 8 11 14 17 20 23'.split(' '));
  }, 20_000);

  test('has each scenario as often as its weight says', async () => {
    const lines = await sequence(SHOP);
    expect(lines.filter((line) => line === 'GET /')).toHaveLength(86);
    expect(lines.filter((line) => line.startsWith('GET /items/'))).toHaveLength(86);
  }, 20_000);
});

describe('the pace', () => {
  test('is never more users at once than there are', async () => {
    let now = 0;
    let most = 0;
    const { served } = await run({ ...SHOP, concurrency: 5 }, async (_, response) => {
      most = Math.max(most, ++now);
      await sleep(2);
      now--;
      response.end();
    });
    expect(most).toBe(5);
    expect(served.connectionCount()).toBe(5);
  });

  test('of many users is no reason for Node.js to warn of a leak', async () => {
    const { scenarios, pace } = samplePlan({ warmUp: { ...SHOP, concurrency: 40 } }).warmUp;
    const limits: number[] = [];
    const request = async ({ signal }: { signal: AbortSignal }) => {
      limits.push(getMaxListeners(signal));
      throw new Error('enough');
    };
    const pools = { get: () => ({ request }), [Symbol.asyncDispose]: async () => {} } as unknown as Traffic['pools'];
    const traffic: Traffic = {
      pools,
      files: new Map(),
      onSample: () => {},
      pending: new Set(),
      runOther: async () => {},
    };
    const { signal } = new AbortController();
    const running = runMixed(scenarios, pace, { seed: 1, firstN: 0, traffic, signal }, () => false);
    await expect(running).rejects.toThrow('enough');
    expect(limits).toEqual(Array(40).fill(Infinity));
  });

  test('is a rate, however slowly the app answers', async () => {
    let now = 0;
    let most = 0;
    const { elapsedMs, lines } = await run(
      { scenarios: [{ steps: [get('/{{n}}')] }], rate: 100 },
      async (_, response) => {
        most = Math.max(most, ++now);
        await sleep(150);
        now--;
        response.end();
      },
      { requests: 40 },
    );
    expect(elapsedMs).toBeGreaterThan(500);
    expect(most).toBeGreaterThan(5);
    const numbers = lines.map((line) => Number(line.slice('GET /'.length)));
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(Math.max(...numbers)).toBe(numbers.length);
  });

  test('is one that the app does not keep up with', async () => {
    const hang: Handler = () => {};
    await expect(run({ scenarios: [{ steps: [get('/')] }], rate: 10_000 }, hang)).rejects.toMatchObject({
      name: 'CannotKeepUp',
      message: '1001 runs had begun at 10000 a second and were not finished',
    });
  }, 20_000);
});

describe('a failure', () => {
  test('ends all, and is the one that is told', async () => {
    const { lines, error } = await run(
      { scenarios: [{ steps: [get('/{{n}}')] }], concurrency: 4 },
      async ({ line }, response) => {
        if (line !== 'GET /9') await sleep(5);
        response.writeHead(line === 'GET /9' ? 500 : 200).end('at Orders.java:17');
      },
    ).then(
      () => ({ lines: [], error: undefined }),
      (error) => ({ lines: [], error }),
    );
    expect(lines).toEqual([]);
    expect(error).toMatchObject({
      name: 'UnexpectedAnswer',
      message: 'GET /{{n}} answered 500 instead of 200',
      lines: ['asked: GET /9', 'answer: 500', '  at Orders.java:17'],
    });
  });

  test('to get an answer is told with its endpoint', async () => {
    const running = run({ scenarios: [{ steps: [get('/{{n}}')] }] }, (_, response) => response.socket?.destroy());
    await expect(running).rejects.toMatchObject({ name: 'NoAnswer', endpoint: 'GET /{{n}}' });
  });

  test('an abort ends all at once, and leaves what was not answered pending', async () => {
    await using served = await serve(() => {});
    const controller = new AbortController();
    const running = load(served, { scenarios: [{ steps: [get('/hangs')] }], concurrency: 3 }, 1, controller.signal);
    while (served.requests.length < 3) await sleep(5);
    controller.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
    expect(served.requests).toHaveLength(3);
  });
});

test('each answer is a sample of its endpoint, with the time at which it was sent', async () => {
  const beganMs = performance.now();
  const { samples, elapsedMs } = await run(SHOP, async (_, response) => {
    await sleep(2);
    response.end();
  });
  expect(new Set(samples.map(({ endpoint }) => endpoint))).toEqual(
    new Set(['GET /', 'GET /items/{{n}}', 'GET /search?q={{random}}']),
  );
  for (const [index, { startedMs, latencyMs }] of samples.entries()) {
    expect(latencyMs).toBeGreaterThan(1);
    expect(startedMs).toBeGreaterThan(beganMs);
    expect(startedMs + latencyMs).toBeLessThan(beganMs + elapsedMs + 1000);
    expect(startedMs).toBeGreaterThan(samples[index - 1]?.startedMs ?? 0);
  }
});

test('fixed counts are exact, with numbers that go on from those before', async () => {
  await using served = await serve(ok);
  const { scenarios, connection } = samplePlan({
    warmUp: { requests: [{ path: '/{{n}}', count: 10, concurrency: 4 }] },
  }).warmUp;
  const [scenario] = scenarios;
  if (scenario?.load.kind !== 'fixed') throw new Error('not fixed');
  await using pools = await openPools(served, scenarios, connection, 4);
  const traffic: Traffic = {
    pools,
    files: new Map(),
    onSample: () => {},
    pending: new Set(),
    runOther: async () => {},
  };
  await runFixed(scenario, scenario.load, { seed: 1, firstN: 100, traffic, signal: AbortSignal.timeout(5000) });
  const numbers = served.requests.map(({ line }) => Number(line.slice('GET /'.length))).sort((a, b) => a - b);
  expect(numbers).toEqual(Array.from({ length: 10 }, (_, index) => 101 + index));
});

describe('the connection', () => {
  const scenarios = [{ steps: [get('/'), { method: 'POST', path: '/', body: 'x' }] }];

  test.each<[string, WarmUp, Options['kind'], string]>([
    ['HTTP/1.1', {}, 'http', '1.1'],
    ['HTTP/2 without TLS', { protocol: 'h2' }, 'h2c', '2.0'],
    ['TLS', { tls: { ca: PEM, serverName: 'app.example' } }, 'https', '1.1'],
    ['TLS with any certificate', { tls: { insecure: true } }, 'https', '1.1'],
    ['HTTP/2 over TLS', { protocol: 'h2', tls: { insecure: true } }, 'http2-only', '2.0'],
    ['HTTP/2 over TLS where both are offered', { protocol: 'h2', tls: { insecure: true } }, 'http2-or-1', '2.0'],
    ['HTTP/1.1 over TLS where both are offered', { tls: { insecure: true } }, 'http2-or-1', '1.1'],
  ])('is %s', async (_, connection, kind, version) => {
    const { requests } = await run({ scenarios, concurrency: 3, ...connection }, ok, { requests: 30, kind });
    expect(requests.length).toBeGreaterThanOrEqual(30);
    expect(new Set(requests.map((request) => request.version))).toEqual(new Set([version]));
    expect(requests[1]).toMatchObject({ line: expect.stringMatching(/ \/$/) });
  });

  test.each<[string, WarmUp, Options['kind'], RegExp]>([
    ['to nobody whom an authority vouches for', { tls: true }, 'https', /self-signed certificate/],
    ['to somebody else', { tls: { ca: PEM, serverName: 'other.example' } }, 'https', /does not match/],
    ['in HTTP/2 to an app that does not offer it', { protocol: 'h2', tls: { insecure: true } }, 'https', /ALPN/],
    ['in HTTP/2 without TLS to an app that has none', { protocol: 'h2' }, 'http', /GET \/ got no answer/],
  ])('does not come about %s', async (_, connection, kind, message) => {
    await expect(run({ scenarios, ...connection }, ok, { kind })).rejects.toThrow(message);
  });
});
