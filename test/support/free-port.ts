import { createServer } from 'node:net';

/** Below what the kernel hands out by itself (ip_local_port_range): nobody's connection takes it before it is used, or used again. */
const FIRST = 10_000;
const COUNT = 20_000;

export async function findFreePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return await new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '0.0.0.0', () => server.close(() => resolve(true)));
  });
}
