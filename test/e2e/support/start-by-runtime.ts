import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { startForwarder } from '../../../src/engine/forwarder.ts';
import { ROOT } from './build-example.ts';
import { hideUnifiedCgroup } from './hide-unified-cgroup.ts';
import { openClient, type StartedImage } from './start-image.ts';

const run = promisify(execFile);
const NATIVE = process.env['CRAC_BUILD_NATIVE'] ?? join(ROOT, 'dist/native');
const PORT = 8080;

interface Bundle {
  process: { terminal: boolean; user: object; env: string[]; capabilities: object; noNewPrivileges: boolean };
  root: { readonly?: boolean };
  mounts: { destination: string; type: string; source: string; options: string[] }[];
}

/** The image of a layout by runc or crun alone: umoci makes the bundle of it, and only what production takes away is taken away. */
export async function startByRuntime(layout: string, runtime: 'crun' | 'runc'): Promise<StartedImage> {
  const dir = await mkdtemp(join(tmpdir(), `crac-${runtime}-`));
  const bundle = join(dir, 'bundle');
  const id = `crac-e2e-${randomBytes(4).toString('hex')}`;
  const argv = [...(runtime === 'crun' ? hideUnifiedCgroup() : []), runtime, '--root', join(dir, 'state')];
  const call = async (...args: readonly string[]) => {
    const [program = '', ...rest] = [...argv, ...args];
    return await run(program, rest);
  };
  const dispose = async () => {
    await call('delete', '--force', id).catch(() => undefined);
    await rm(dir, { recursive: true, force: true });
  };
  try {
    await run('umoci', ['unpack', '--image', `${layout}:latest`, bundle]);
    const path = join(bundle, 'config.json');
    await writeFile(path, JSON.stringify(restrict(JSON.parse(await readFile(path, 'utf8')))));
    const [program = '', ...rest] = [...argv, 'run', '--bundle', bundle, '--pid-file', join(dir, 'pid'), id];
    const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    const exited = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? -1)));
    const ended = async () => ({ exitCode: await exited, output });
    const pid = await Promise.race([readPid(join(dir, 'pid')), exited.then(() => 0)]);
    if (pid === 0) throw new Error(`${runtime} did not start the image: ${output}`);
    const forwarder = await startForwarder(join(NATIVE, 'forward'), pid, PORT);
    return {
      ...openClient(`127.0.0.1:${forwarder.port}`),
      stop: async () => {
        await call('kill', id, 'TERM');
        return await ended();
      },
      ended,
      [Symbol.asyncDispose]: async () => {
        forwarder.stop();
        await dispose();
      },
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

function restrict(bundle: Bundle): Bundle {
  const { process, root, mounts } = bundle;
  const none = { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] };
  const options = ['nosuid', 'noexec', 'nodev', 'mode=1777'];
  return {
    ...bundle,
    process: {
      ...process,
      terminal: false,
      user: { uid: 65_432, gid: 65_432 },
      env: [...process.env, 'CRAC_RESTORE=require'],
      capabilities: none,
      noNewPrivileges: true,
    },
    root: { ...root, readonly: true },
    mounts: [...mounts, { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options }],
  };
}

async function readPid(path: string): Promise<number> {
  for (;;) {
    const pid = Number(await readFile(path, 'utf8').catch(() => ''));
    if (pid > 0) return pid;
    await sleep(5);
  }
}
