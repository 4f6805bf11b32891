import { connect } from 'node:net';
import { performance } from 'node:perf_hooks';

export interface Load {
  readonly port: number;
  /** Asked in turn. */
  readonly paths: readonly string[];
  readonly connections: number;
  readonly durationMs: number;
}

/**
 * Asks for the paths over kept-alive connections, each with one request on its way, and gives requests per second. Raw
 * sockets: node's own HTTP client would need more of the machine than the server. Rejects on any answer but 200.
 */
export async function measureThroughput(load: Load): Promise<number> {
  const startedMs = performance.now();
  const counts = await Promise.all(
    Array.from({ length: load.connections }, (_, index) => askInTurn(load, index, startedMs + load.durationMs)),
  );
  return counts.reduce((sum, count) => sum + count, 0) / ((performance.now() - startedMs) / 1000);
}

/** How many requests one connection got answered before the time was over. */
async function askInTurn({ port, paths }: Load, offset: number, endMs: number): Promise<number> {
  const requests = paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  return await new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const next = () => socket.write(requests[(offset + answered) % requests.length] ?? '');
    let answered = 0;
    let received = '';
    socket.setEncoding('latin1');
    socket.on('connect', next);
    socket.on('data', (chunk) => {
      received += chunk;
      const bytes = answerBytes(received);
      if (bytes === undefined || received.length < bytes) return;
      if (!received.startsWith('HTTP/1.1 200 ')) {
        socket.destroy(new Error(`the server answered ${received.split('\r\n')[0]}`));
        return;
      }
      received = received.slice(bytes);
      answered++;
      if (performance.now() < endMs) next();
      else socket.end();
    });
    socket.on('error', reject);
    socket.on('close', () =>
      performance.now() < endMs ? reject(new Error('the server closed a connection')) : resolve(answered),
    );
  });
}

/** Head and body; undefined while the head is not complete. */
function answerBytes(received: string): number | undefined {
  const headEnd = received.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const length = /^content-length: *(\d+)/im.exec(received.slice(0, headEnd))?.[1];
  return headEnd + 4 + Number(length ?? 0);
}
