import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { CracBuildError } from '../../../src/errors.ts';
import type { Probe } from '../../../src/warm-up/probe.ts';
import { type ProbedContainer, waitForProbe } from '../../../src/warm-up/wait-for-probe.ts';

const PATH: Probe = { kind: 'http', port: 8080, path: '/', status: 200 };
const PATIENCE = { timeoutMs: 5000, intervalMs: 1, user: '1:1' };
const NO_ABORT = new AbortController().signal;
const never = new Promise<never>(() => {});

function containerOf(parts: Partial<ProbedContainer>): ProbedContainer {
  const notUsed = async () => {
    throw new Error('not used here');
  };
  return { endpoint: notUsed, exited: never, exec: notUsed, lastLines: notUsed, ...parts };
}

const unreachable = async () => {
  throw new CracBuildError('ENGINE_FAILED', 'no such namespace');
};

test('a container that cannot be reached because it has just ended is told as ended', async () => {
  const exited = new Promise<{ exitCode: number }>((resolve) => setTimeout(resolve, 50, { exitCode: 125 }));
  const seen = await waitForProbe(containerOf({ endpoint: unreachable, exited }), PATH, PATIENCE, NO_ABORT);
  expect(seen).toEqual({ outcome: 'exited', exit: { exitCode: 125 } });
});

test('one that cannot be reached and goes on is an error of the engine', async () => {
  const waiting = waitForProbe(containerOf({ endpoint: unreachable }), PATH, PATIENCE, NO_ABORT);
  await expect(waiting).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
});

test('a forwarded port with nobody behind it is told as one where nothing may listen', async () => {
  const server = createServer((socket) => socket.resetAndDestroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const endpoint = async () => ({ host: '127.0.0.1', port });
  const seen: string[] = [];
  const response = await waitForProbe(
    containerOf({ endpoint }),
    PATH,
    { ...PATIENCE, timeoutMs: 50 },
    NO_ABORT,
    (text) => seen.push(text),
  );
  server.close();
  const lastSeen = 'the connection was closed without an answer, as where nothing listens';
  expect(response).toEqual({ outcome: 'timed-out', lastSeen });
  expect(seen).toContain(lastSeen);
});

test('the answer that came is told, not the attempt that the time limit cut short', async () => {
  let isFirst = true;
  const server = createHttpServer((_, response) => {
    if (isFirst) response.writeHead(503).end();
    isFirst = false;
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const container = containerOf({ endpoint: async () => ({ host: '127.0.0.1', port }) });
  const seen = await waitForProbe(container, PATH, { ...PATIENCE, timeoutMs: 500 }, NO_ABORT);
  expect(seen).toEqual({ outcome: 'timed-out', lastSeen: 'it answered 503' });
  server.closeAllConnections();
  server.close();
});
