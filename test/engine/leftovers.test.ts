import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { startForwarder } from '../../src/engine/forwarder.ts';
import { connectOciRuntime } from '../../src/engine/oci-runtime.ts';

const signal = new AbortController().signal;
let dir: string;
let nativeDir: string;

beforeAll(async () => {
  dir = await mkdtemp('/tmp/crac-build-leftovers-test-');
  nativeDir = join(dir, 'native');
  const tools = ['forward', 'capture', 'netns', 'whiteouts'].map((name) => join(nativeDir, name));
  execFileSync('make', ['-s', '-C', 'native', `OUT=${nativeDir}`, ...tools]);
}, 60_000);
afterAll(async () => rm(dir, { recursive: true, force: true }));

test('what a killed run left behind is removed by the next one, and only that', async () => {
  const cacheDir = join(dir, 'cache');
  const program = ['scripts/run-ts.mjs', 'test/engine/abandon.ts', cacheDir, nativeDir];
  const child = spawn('node', program, { stdio: ['ignore', 'pipe', 'inherit'] });
  child.once('exit', () => child.stdout.destroy(new Error('the program ended')));
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const { port, fixtureDir } = JSON.parse(line.toString()) as { readonly port: number; readonly fixtureDir: string };
  try {
    // While its owner lives, another run leaves it alone.
    await connectOciRuntime({ cacheDir, nativeDir, signal });
    expect(await readdir(join(cacheDir, 'oci-engine/containers'))).toHaveLength(1);
    expect(await ask(port)).toBe('hello\n');

    await expectSoon(async () => countSleeping() === 2);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await expectSoon(async () => countSleeping() === 0);
    await expectSoon(async () => (await ask(port).catch(() => 'refused')) === 'refused'); // the forwarder has ended
    await connectOciRuntime({ cacheDir, nativeDir, signal });
    expect(await readdir(join(cacheDir, 'oci-engine/containers'))).toEqual([]);
    expect(await readdir(join(cacheDir, 'oci-engine/images'))).toEqual([]);
    expect(await readFile('/proc/mounts', 'utf8')).not.toContain(cacheDir);
    const processes = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).split('\n');
    expect(processes.filter((args) => args.includes(nativeDir) || args.includes('/bin/subject serve'))).toEqual([]);
  } finally {
    child.kill('SIGKILL');
    await rm(fixtureDir, { recursive: true, force: true });
  }
}, 60_000);

/** What abandon.ts starts as processes of this machine. */
function countSleeping(): number {
  const processes = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).split('\n');
  return processes.filter((args) => args === 'sleep 2000.5').length;
}

describe('the forwarder', () => {
  let server: Server;
  let accepted: Socket[];
  const open = async (onConnection: (socket: Socket) => void): Promise<number> => {
    accepted = [];
    server = createServer({ allowHalfOpen: true }, (socket) => {
      accepted.push(socket);
      onConnection(socket);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as { readonly port: number }).port;
  };
  afterEach(() => {
    for (const socket of accepted) socket.destroy();
    server.close();
  });

  test('carries megabytes both ways, and the end of one direction leaves the other open', async () => {
    const port = await open((socket) => {
      // Not with an async iterator, which would destroy the socket at the end of one direction.
      let all = '';
      socket.on('data', (chunk: Buffer) => {
        all += chunk.toString();
      });
      socket.on('end', () => socket.end(all.toUpperCase()));
    });
    const forwarder = await startForwarder(join(nativeDir, 'forward'), process.pid, port);
    const payload = 'abcdefgh'.repeat(500_000);
    const sockets = Array.from({ length: 20 }, () =>
      connect({ port: forwarder.port, host: '127.0.0.1', allowHalfOpen: true }),
    );
    const echoed = await Promise.all(
      sockets.map((socket) => {
        socket.end(payload);
        return text(socket);
      }),
    );
    expect(echoed.every((answer) => answer === payload.toUpperCase())).toBe(true);
    forwarder.stop();
  }, 30_000);

  test('a refused or reset connection is reset at the other end', async () => {
    const port = await open((socket) => socket.resetAndDestroy());
    const forwarder = await startForwarder(join(nativeDir, 'forward'), process.pid, port);
    await expect(ask(forwarder.port)).rejects.toMatchObject({ code: 'ECONNRESET' });
    server.close();
    await expect(ask(forwarder.port)).rejects.toMatchObject({ code: 'ECONNRESET' });
    forwarder.stop();
  });

  test('a process that does not exist is an error', async () => {
    await open(() => undefined);
    await expect(startForwarder(join(nativeDir, 'forward'), 2_000_000_000, 80)).rejects.toMatchObject({
      code: 'ENGINE_FAILED',
    });
  });
});

async function ask(port: number): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.write('hi');
  return await text(socket);
}

async function expectSoon(isTrue: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; !(await isTrue()); attempt++) {
    if (attempt === 100) throw new Error('it did not become true');
    await sleep(50);
  }
}
