import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { unpackImage } from '../../bench/unpack-image.ts';
import { FD } from '../../src/restore-plan/format.ts';
import { findFreePort } from '../support/free-port.ts';
import { readSection } from '../unit/restore-plan/plan-reader.ts';
import { buildImage, JDKS, ROOT } from './support/build-example.ts';
import { waitUntilAnswered } from './support/start-image.ts';
import { startInCrun } from './support/start-in-crun.ts';

const run = promisify(execFile);
let dir: string;
let jar: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'crac-connections-'));
  jar = join(dir, 'connections.jar');
  const classes = join(dir, 'classes');
  await run('javac', ['--release', '17', '-d', classes, join(ROOT, 'test/e2e/support/Connections.java')]);
  await run('jar', ['--create', '--file', jar, '--main-class', 'Connections', '-C', classes, '.']);
}, 60_000);

afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
});

/** A client that keeps what it has opened, as browsers and proxies do. */
class Client {
  readonly #sockets: Socket[] = [];

  async ask(port: number, words: string): Promise<string> {
    const socket = connect({ port, host: '127.0.0.1' });
    this.#sockets.push(socket);
    socket.on('error', () => undefined);
    socket.write(words);
    return String(await once(socket, 'data'));
  }

  leave(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

const KEPT = 3;

test.each([17, 25] as const)(
  'JDK %i: connections that its clients keep idle at the checkpoint have ended after the restore, and new ones work',
  async (jdk) => {
    const [httpPort, echoPort] = [await findFreePort(), await findFreePort()];
    const layout = join(dir, `image-${jdk}`);
    const config = join(dir, `${jdk}.yaml`);
    await writeFile(
      config,
      stringify({
        app: { jar, arguments: [String(httpPort), String(echoPort)], ports: [httpPort, echoPort] },
        base: `jdk:${JDKS[jdk]}`,
        network: 'host', // so that the app can be reached by others than the warm-up
        warmUp: { requests: [{ path: '/', count: 20 }] },
        checkpoint: { settle: '0s' },
        outputs: [`oci:${layout}`],
      }),
    );
    const client = new Client();
    let answers: Promise<readonly string[]> | undefined;
    const keepConnections = () =>
      Promise.all(
        Array.from({ length: KEPT }, async () => [
          await client.ask(httpPort, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
          await client.ask(echoPort, 'hello'),
        ]).flat(),
      ).then((all) => all.flat());
    await buildImage(['--config', config, '--engine', 'oci'], {
      onProgress: (stderr) => {
        if (stderr.includes('"stage-started","stage":"warm-up"')) answers ??= keepConnections();
      },
    });
    client.leave();
    expect((await answers)?.map((answer) => answer.slice(0, 12)).sort()).toEqual([
      ...Array(KEPT).fill('HTTP/1.1 200'),
      ...Array(KEPT).fill('hello'),
    ]);

    // They were there when the app was dumped; the JDK keeps one such socket, to put it in the place of those it closes.
    const { root } = await unpackImage(layout, join(dir, `root-${jdk}`));
    const plan = await readFile(join(root, 'opt/crac/checkpoint/plan.bin'));
    const descriptors = readSection(plan, 'CRAC_FDS', 'crac_fd');
    expect(descriptors.filter(({ kind }) => kind === FD.DEAD)).toHaveLength(2 * KEPT + 1);

    const ports = [httpPort, echoPort];
    await using restored = await startInCrun(layout, { ports, environment: { CRAC_RESTORE: 'require' } });
    await waitUntilAnswered(() => restored.get('/'));
    const facts = await settle(() => restored.getJson('/'), { accepted: KEPT, ended: KEPT });
    expect(facts).toMatchObject({ accepted: KEPT, ended: KEPT });
    // The HTTP server has closed its own, too: two listeners, one socket of the JDK and one of the runtime are left, and
    // what asked this.
    expect(facts['sockets']).toBeLessThanOrEqual(4 + 2);
    expect(await client.ask(await restored.portOf(echoPort), 'again')).toBe('again');
    client.leave();
    expect(await settle(() => restored.getJson('/'), { ended: KEPT + 1 })).toMatchObject({ accepted: KEPT + 1 });
    expect((await restored.stop()).output).not.toContain('not an end');
  },
  180_000,
);

/** Asks again until the answer has these values, or for 5 s. */
async function settle(
  ask: () => Promise<Record<string, unknown>>,
  wanted: Readonly<Record<string, unknown>>,
): Promise<Record<string, unknown>> {
  const deadline = performance.now() + 5000;
  for (;;) {
    const answer = await ask();
    const isThere = Object.entries(wanted).every(([key, value]) => answer[key] === value);
    if (isThere || performance.now() > deadline) return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
