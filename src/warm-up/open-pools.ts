import { Pool } from 'undici';
import type { Container } from '../engine/engine.ts';
import type { WarmUpRequest } from '../plan/build-plan.ts';

/** One keep-alive pool for each port, so that the app is warmed up as real clients use it. Disposing closes every connection. */
export interface Pools extends AsyncDisposable {
  readonly get: (port: number) => Pool;
}

export async function openPools(
  container: Pick<Container, 'endpoint'>,
  requests: readonly WarmUpRequest[],
): Promise<Pools> {
  const pools = new Map<number, Pool>();
  for (const port of new Set(requests.map((request) => request.port))) {
    const endpoint = await container.endpoint(port);
    const concurrency = Math.max(...requests.filter((request) => request.port === port).map((one) => one.concurrency));
    pools.set(
      port,
      /** The stage has a time limit of its own; undici's would only hide which one was reached. */
      new Pool(`http://${endpoint.host}:${endpoint.port}`, {
        connections: concurrency,
        pipelining: 1,
        headersTimeout: 0,
        bodyTimeout: 0,
      }),
    );
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
