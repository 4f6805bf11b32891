import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'undici';
import { sendRequest } from '../../../src/warm-up/send-requests.ts';

/** Answers the first `answers` requests of each connection and closes it when one more comes. */
async function ask(answers: number, method: string, times: number) {
  const counts = new WeakMap<object, number>();
  const server = createServer((request, response) => {
    const count = (counts.get(request.socket) ?? 0) + 1;
    counts.set(request.socket, count);
    if (count > answers) request.socket.destroy();
    else response.end('ok');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const pool = new Pool(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { connections: 1 });
  const request = { method, port: 0, path: '/', headers: {}, count: 1, concurrency: 1, status: 200 };
  try {
    for (let i = 0; i < times; i++) await sendRequest(pool, request, AbortSignal.timeout(10_000));
  } finally {
    await pool.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

test('a GET over a kept connection that the server closes is sent again', async () => {
  await ask(1, 'GET', 5);
});

test('a POST is not', async () => {
  await expect(ask(1, 'POST', 2)).rejects.toMatchObject({ code: 'UND_ERR_SOCKET' });
});

test('nor is a GET over a new connection', async () => {
  await expect(ask(0, 'GET', 1)).rejects.toMatchObject({ code: 'UND_ERR_SOCKET' });
});
