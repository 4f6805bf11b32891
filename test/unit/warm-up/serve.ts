import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createPlainHttp2Server, createSecureServer } from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

/** Key and certificate of app.example. */
export const PEM = join(import.meta.dirname, 'app.example.pem');

export interface Request {
  /** "GET /a". */
  readonly line: string;
  readonly version: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface Served extends AsyncDisposable {
  readonly endpoint: () => Promise<{ readonly host: string; readonly port: number }>;
  readonly requests: Request[];
  readonly openConnections: () => number;
  readonly connectionCount: () => number;
}

export type Handler = (request: Request, response: ServerResponse) => unknown;

/** An app on loopback. `http2-only`: TLS whose ALPN offers nothing else; `h2c`: HTTP/2 without TLS. */
export async function serve(
  handle: Handler,
  kind: 'http' | 'https' | 'http2-only' | 'http2-or-1' | 'h2c' = 'http',
): Promise<Served> {
  const requests: Request[] = [];
  const sockets = new Set<Socket>();
  let connectionCount = 0;
  const listener = async (message: IncomingMessage, response: ServerResponse) => {
    const { method, url, httpVersion: version, headers } = message;
    const request = { line: `${method} ${url}`, version, headers, body: await text(message) };
    requests.push(request);
    await handle(request, response);
  };
  const server = openServer(kind, listener as never);
  server.on('connection', (socket: Socket) => {
    connectionCount++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: async () => ({ host: '127.0.0.1', port }),
    requests,
    openConnections: () => sockets.size,
    connectionCount: () => connectionCount,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function openServer(kind: string, listener: never): Server {
  const pem = readFileSync(PEM);
  const secrets = { key: pem, cert: pem };
  switch (kind) {
    case 'https':
      return createHttpsServer(secrets, listener);
    case 'http2-only':
      return createSecureServer(secrets, listener);
    case 'http2-or-1':
      return createSecureServer({ ...secrets, allowHTTP1: true }, listener);
    case 'h2c':
      return createPlainHttp2Server(listener);
    default:
      return createServer(listener);
  }
}
