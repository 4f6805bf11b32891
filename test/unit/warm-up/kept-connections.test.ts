import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openPools } from '../../../src/warm-up/open-pools.ts';
import { openUser, runScenario } from '../../../src/warm-up/run-scenario.ts';
import type { Scenario } from '../../../src/warm-up/scenario.ts';

/** Answers the first `answers` requests of each connection and closes it when one more comes. How many connections there were. */
async function ask(answers: number, method: string, times: number): Promise<number> {
  let connections = 0;
  const counts = new WeakMap<object, number>();
  const server = createServer((request, response) => {
    const count = (counts.get(request.socket) ?? 0) + 1;
    counts.set(request.socket, count);
    if (count > answers) request.socket.destroy();
    else response.end('ok');
  });
  server.on('connection', () => connections++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const step = {
    method,
    port: 0,
    path: '/',
    headers: {},
    expect: { status: 200, headers: {} },
    capture: {},
    thinkMs: 0,
  };
  const scenario: Scenario = { kind: 'http', name: '', load: { kind: 'mixed', weight: 1 }, steps: [step] };
  const container = { endpoint: async () => ({ host: '127.0.0.1', port }) };
  const pools = await openPools(container, [scenario], { protocol: 'http/1.1' }, 1);
  const traffic = { pools, files: new Map(), onSample: () => {}, pending: new Set<never>(), runOther: async () => {} };
  try {
    for (let n = 0; n < times; n++)
      await runScenario(scenario, openUser(1, 1), n, traffic, AbortSignal.timeout(10_000));
  } finally {
    await pools[Symbol.asyncDispose]();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  return connections;
}

test('a GET over a kept connection that the server closes is sent again', async () => {
  await ask(1, 'GET', 5);
});

test('a POST is not', async () => {
  await expect(ask(1, 'POST', 2)).rejects.toMatchObject({ cause: { code: 'UND_ERR_SOCKET' } });
});

test('nor is a GET over a new connection', async () => {
  await expect(ask(0, 'GET', 1)).rejects.toMatchObject({ cause: { code: 'UND_ERR_SOCKET' } });
});

test.each(['GET', 'POST'])('each connection is kept for many %ss, and not for ever', async (method) => {
  expect(await ask(Number.POSITIVE_INFINITY, method, 1000)).toBe(8);
});
