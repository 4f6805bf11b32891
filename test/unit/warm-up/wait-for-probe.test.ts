import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { CracBuildError } from '../../../src/errors.ts';
import type { Probe } from '../../../src/warm-up/probe.ts';
import { type ProbedContainer, waitForProbe } from '../../../src/warm-up/wait-for-probe.ts';
import { PEM, serve } from './serve.ts';

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
    { ...PATIENCE, timeoutMs: 1000 },
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

/** Tries `probe` against a server that does `handle` with each connection. */
async function tryTcp(handle: (socket: Socket) => void, timeoutMs = 300) {
  const server = createServer(handle).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const container = containerOf({ endpoint: async () => ({ host: '127.0.0.1', port }) });
  try {
    const seen = await waitForProbe(container, { kind: 'tcp', port: 8080 }, { ...PATIENCE, timeoutMs }, NO_ABORT);
    return { seen, endedMs: performance.now() };
  } finally {
    server.close();
  }
}

describe('a port', () => {
  test('that accepts a connection and keeps it is there, from the moment of accepting on', async () => {
    const { seen, endedMs } = await tryTcp(() => {}, 5000);
    expect(seen).toMatchObject({ outcome: 'ready' });
    if (seen.outcome === 'ready') expect(endedMs - seen.atMs).toBeGreaterThan(195);
  });

  test('that speaks first is there', async () => {
    const { seen } = await tryTcp((socket) => socket.end('220 ready\r\n'), 5000);
    expect(seen).toMatchObject({ outcome: 'ready' });
  });

  test.each<[string, (socket: Socket) => unknown]>([
    ['ends', (socket) => socket.end()],
    ['resets', (socket) => socket.resetAndDestroy()],
    ['ends after a while', (socket) => setTimeout(() => socket.destroy(), 30)],
    [
      'ends while this process is busy',
      // In the phase of the event loop after which timers come, and only then what has arrived.
      (socket) => {
        const end = () => {
          socket.destroy();
          const untilMs = performance.now() + 250;
          while (performance.now() < untilMs);
        };
        setTimeout(() => setImmediate(end), 20);
      },
    ],
  ])('that accepts a connection and %s it is none behind which anybody listens', async (_, end) => {
    const { seen } = await tryTcp((socket) => end(socket), 600);
    const lastSeen = 'the connection was closed without an answer, as where nothing listens';
    expect(seen).toEqual({ outcome: 'timed-out', lastSeen });
  });
});

describe('a log line', () => {
  test('is found among those that are there, and waited for', async () => {
    let lines: readonly string[] = [];
    const container = containerOf({ lastLines: async () => lines });
    const seen: string[] = [];
    const waiting = waitForProbe(container, { kind: 'log', pattern: 'Started .* in' }, PATIENCE, NO_ABORT, (text) => {
      seen.push(text);
      lines = seen.length === 1 ? ['Starting Orders'] : ['Starting Orders', 'Started Orders in 2 s', 'more'];
    });
    expect(await waiting).toMatchObject({ outcome: 'ready' });
    expect(seen).toEqual(['it printed nothing', 'no line matched']);
  });
});

describe('a command', () => {
  const probe: Probe = { kind: 'command', argv: ['check', '--ready'] };

  test('is run as the user until it ends with 0', async () => {
    const calls: unknown[] = [];
    const results = [
      { exitCode: 7, stdout: 'x\n', stderr: 'one\nrefused\n' },
      { exitCode: 1, stdout: '', stderr: '' },
    ];
    const container = containerOf({
      exec: async (argv, { user }) => {
        calls.push([argv, user]);
        return results[calls.length - 1] ?? { exitCode: 0, stdout: '', stderr: '' };
      },
    });
    const seen: string[] = [];
    expect(await waitForProbe(container, probe, PATIENCE, NO_ABORT, (text) => seen.push(text))).toMatchObject({
      outcome: 'ready',
    });
    expect(calls).toEqual(Array(3).fill([['check', '--ready'], '1:1']));
    expect(seen).toEqual(['it ended with exit code 7: refused', 'it ended with exit code 1']);
  });

  test('that is not there, or hangs, is told', async () => {
    const none = containerOf({ exec: async () => Promise.reject(new CracBuildError('ENGINE_FAILED', 'no check')) });
    const quick = { ...PATIENCE, timeoutMs: 150 };
    expect(await waitForProbe(none, probe, quick, NO_ABORT)).toEqual({ outcome: 'timed-out', lastSeen: 'no check' });
    const hangs = containerOf({
      exec: (_, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    });
    const lastSeen = 'it did not end in time';
    expect(await waitForProbe(hangs, probe, quick, NO_ABORT)).toEqual({ outcome: 'timed-out', lastSeen });
  });
});

test('an answer must have the text, too, and may come over TLS', async () => {
  let body = 'DOWN';
  await using served = await serve((_, response) => response.end(body), 'https');
  const probe: Probe = { ...PATH, contains: 'UP', tls: { insecure: false, ca: PEM, serverName: 'app.example' } };
  const seen: string[] = [];
  const ready = await waitForProbe(containerOf(served), probe, PATIENCE, NO_ABORT, (text) => {
    seen.push(text);
    body = 'UP';
  });
  expect(ready).toMatchObject({ outcome: 'ready' });
  expect(seen).toEqual(['it answered 200 without "UP"']);
  const strict: Probe = { ...PATH, tls: { insecure: false } };
  const refused = await waitForProbe(containerOf(served), strict, { ...PATIENCE, timeoutMs: 1000 }, NO_ABORT);
  expect(refused).toEqual({ outcome: 'timed-out', lastSeen: 'self-signed certificate' });
  expect(
    await waitForProbe(containerOf(served), { ...PATH, tls: { insecure: true } }, PATIENCE, NO_ABORT),
  ).toMatchObject({
    outcome: 'ready',
  });
});
