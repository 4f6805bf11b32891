import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { measureThroughput } from '../../../bench/load.ts';

async function withServer<T>(answer: RequestListener, use: (port: number) => Promise<T>): Promise<T> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await use((server.address() as AddressInfo).port);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test('the load asks for its paths in turn, over connections that stay, and counts what was answered', async () => {
  const asked = new Map<string | undefined, number>();
  const sockets = new Set();
  const durationMs = 200;
  const rate = await withServer(
    (request, response) => {
      asked.set(request.url, (asked.get(request.url) ?? 0) + 1);
      sockets.add(request.socket);
      const body = 'x'.repeat(request.url === '/big' ? 200_000 : 0);
      response.writeHead(200, { 'Content-Length': body.length }).end(body);
    },
    (port) => measureThroughput({ port, paths: ['/', '/big'], connections: 3, durationMs }),
  );
  const total = [...asked.values()].reduce((sum, count) => sum + count, 0);
  expect(sockets.size).toBe(3);
  expect([...asked.keys()].sort()).toEqual(['/', '/big']);
  expect(Math.abs((asked.get('/') ?? 0) - (asked.get('/big') ?? 0))).toBeLessThanOrEqual(3);
  // The last answers may come after the time is over.
  expect(rate).toBeGreaterThan(0);
  expect(rate).toBeLessThanOrEqual((total / durationMs) * 1000);
});

test('an answer other than 200, and a connection that ends, fail the measurement', async () => {
  const load = (port: number) => measureThroughput({ port, paths: ['/'], connections: 2, durationMs: 5000 });
  const refused = withServer((_, response) => response.writeHead(500, { 'Content-Length': 0 }).end(), load);
  await expect(refused).rejects.toThrow('500');
  await expect(withServer((request) => request.socket.end(), load)).rejects.toThrow('closed a connection');
});
