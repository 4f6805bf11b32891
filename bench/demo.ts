// node scripts/run-ts.mjs bench/demo.ts LAYOUT|docker:REFERENCE PATH: runs the image of an example cold and restored, as
// restricted as it can be, asks for PATH, and prints how long each took to the first response.
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeBundle } from './bundle.ts';
import { measureStart } from './probe.ts';
import { runCommand } from './run-command.ts';
import { median } from './statistics.ts';
import { unpackImage } from './unpack-image.ts';

const PORT = 8080;
const RUNS = 3;

interface Run {
  readonly ms: number;
  readonly body: string;
}
type Start = (mode: 'require' | 'off') => Promise<Run>;

const [image = '', path = '/'] = process.argv.slice(2);
const start = image.startsWith('docker:')
  ? throughDocker(image.slice('docker:'.length))
  : await throughCrun(resolve(image));
const cold = await repeat('off', start);
const restored = await repeat('require', start);
const [coldMs, restoredMs] = [cold, restored].map((runs) => median(runs.map(({ ms }) => ms)));
process.stdout.write(
  [
    `started cold:  first response after ${coldMs?.toFixed(1)} ms (median of ${RUNS} containers)`,
    `               ${path} → ${cold[0]?.body.trim()}`,
    `restored:      first response after ${restoredMs?.toFixed(1)} ms (median of ${RUNS} containers)`,
    `               ${path} → ${restored[0]?.body.trim()}`,
    '',
  ].join('\n'),
);

async function repeat(mode: 'require' | 'off', start: Start): Promise<readonly Run[]> {
  const runs: Run[] = [];
  for (let run = 0; run < RUNS; run++) runs.push(await start(mode));
  return runs;
}

async function throughCrun(layout: string): Promise<Start> {
  const work = resolve('target/demo');
  const image = await unpackImage(layout, join(work, 'root'));
  const crun = (await runCommand(['sh', '-c', 'command -v crun || command -v runc'])).trim();
  const runtime = [
    crun,
    '--root',
    join(work, 'runtime'),
    ...(crun.endsWith('crun') ? ['--cgroup-manager=disabled'] : []),
  ];
  const log = join(work, 'demo.log');
  return async (mode) => {
    const bundle = join(work, 'bundle');
    await rm(log, { force: true });
    await writeBundle(bundle, image, {
      argv: ['/opt/crac/restore'],
      environment: [...image.environment, `CRAC_RESTORE=${mode}`],
    });
    try {
      const argv = [...runtime, 'run', '--bundle', bundle, 'demo'];
      const start = { argv, environment: [], root: image.root, inRoot: false, port: PORT, path, log };
      const { firstByteNs, body } = await measureStart(start);
      return { ms: firstByteNs / 1e6, body };
    } finally {
      await runCommand([...runtime, 'delete', '--force', 'demo']);
    }
  };
}

function throughDocker(reference: string): Start {
  const restrictions = ['--cap-drop', 'ALL', '--read-only', '--tmpfs', '/tmp', '--security-opt', 'no-new-privileges'];
  return async (mode) => {
    const startedMs = performance.now();
    const flags = ['-d', ...restrictions, '-e', `CRAC_RESTORE=${mode}`, '-p', `127.0.0.1::${PORT}`];
    const id = (await runCommand(['docker', 'run', ...flags, reference])).trim();
    try {
      const address = (await runCommand(['docker', 'port', id, String(PORT)])).split('\n')[0]?.trim();
      return { body: await firstAnswer(`http://${address}${path}`), ms: performance.now() - startedMs };
    } finally {
      await runCommand(['docker', 'rm', '--force', id]);
    }
  };
}

async function firstAnswer(url: string): Promise<string> {
  const deadlineMs = performance.now() + 30_000;
  for (;;) {
    try {
      return await ask(url);
    } catch (error) {
      if (performance.now() > deadlineMs) throw error;
      await sleep(1);
    }
  }
}

/** Not with fetch: where Docker's proxy closes a connection at once, its promise is never settled, and the program ends. */
async function ask(url: string): Promise<string> {
  const [response] = (await once(get(url, { agent: false }), 'response')) as [IncomingMessage];
  return await text(response);
}
