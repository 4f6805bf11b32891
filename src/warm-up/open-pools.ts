import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { connect as connectOverTls } from 'node:tls';
import { type buildConnector, Pool } from 'undici';
import type { Container } from '../engine/engine.ts';
import { type Connection, listPorts, type Scenario, type Tls } from './scenario.ts';

/** One keep-alive pool for each port, so that the app is warmed up as real clients use it. Disposing closes every connection. */
export interface Pools extends AsyncDisposable {
  readonly get: (port: number) => Pool;
}

/** `connections`: at most so many to a port; undefined: as many as are needed. */
export async function openPools(
  container: Pick<Container, 'endpoint'>,
  scenarios: readonly Scenario[],
  connection: Connection,
  connections: number | undefined,
): Promise<Pools> {
  const options = await composeOptions(connection);
  const pools = new Map<number, Pool>();
  for (const port of listPorts(scenarios)) {
    const endpoint = await container.endpoint(port);
    const origin = `${connection.tls === undefined ? 'http' : 'https'}://${endpoint.host}:${endpoint.port}`;
    pools.set(port, new Pool(origin, { ...options, connections: connections ?? null }));
  }
  return {
    get: (port) => {
      const pool = pools.get(port);
      if (pool === undefined) throw new Error(`no pool for port ${port}`);
      return pool;
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...pools.values()].map((pool) => pool.destroy()));
    },
  };
}

/** The way of a new connection through the app gets warm, too: after a restore all are new. Few enough to leave percentiles alone. */
const REQUESTS_PER_CONNECTION = 128;

/**
 * The stage has a time limit of its own; undici's would only hide which one was reached. One request at a time goes over a
 * connection, with HTTP/2, too: undici holds back a POST while others are under way on its connection.
 */
async function composeOptions({ protocol, tls }: Connection): Promise<Pool.Options> {
  const once = protocol === 'http/1.1' ? { maxRequestsPerClient: REQUESTS_PER_CONNECTION } : {};
  const common = { pipelining: 1, headersTimeout: 0, bodyTimeout: 0, ...once };
  if (tls === undefined) return protocol === 'h2' ? { ...common, allowH2: true, connect: openPlainHttp2() } : common;
  const ca = tls.ca === undefined ? undefined : await readFile(tls.ca);
  return { ...common, allowH2: protocol === 'h2', connect: openTls(protocol, tls, ca) };
}

/** With prior knowledge, https://www.rfc-editor.org/rfc/rfc9113#section-3.3. */
function openPlainHttp2(): buildConnector.connector {
  return ({ hostname, port }, callback) => {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    /** undici decides by that. */
    Object.assign(socket, { alpnProtocol: 'h2' });
    answerOnce(socket, 'connect', callback);
  };
}

/** undici offers both protocols and takes what the app prefers; here the one that is asked for is meant. */
function openTls(protocol: Connection['protocol'], tls: Tls, ca: Buffer | undefined): buildConnector.connector {
  return ({ hostname, port }, callback) => {
    const socket = connectOverTls({
      host: hostname,
      port: Number(port),
      ALPNProtocols: [protocol],
      rejectUnauthorized: !tls.insecure,
      ...(ca === undefined ? {} : { ca }),
      ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
    });
    socket.setNoDelay(true);
    answerOnce(socket, 'secureConnect', (error, connected) => {
      if (connected === null) return callback(isRefusedProtocol(error) ? noHttp2() : error, null);
      if (protocol !== 'h2' || socket.alpnProtocol === 'h2') return callback(null, connected);
      socket.destroy();
      callback(noHttp2(), null);
    });
  };
}

function answerOnce(socket: Socket, event: string, callback: buildConnector.Callback): void {
  const fail = (error: Error) => callback(error, null);
  socket.once('error', fail);
  socket.once(event, () => {
    socket.off('error', fail);
    callback(null, socket);
  });
}

/** An app may end the handshake where it offers none of the protocols, or go on without one. */
function isRefusedProtocol(error: Error & { readonly code?: string }): boolean {
  return error.code === 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL';
}

function noHttp2(): Error {
  return new Error('the app does not offer HTTP/2 over TLS (ALPN)');
}
