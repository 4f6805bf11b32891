import { execFile } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';
import { ROOT } from './build-example.ts';

const run = promisify(execFile);

/** Everything of ours that a build could have left on this machine, as sorted lines: compare before and after. */
export async function listLeftovers(): Promise<readonly string[]> {
  const [folders, mounts, containers, images, processes] = await Promise.all([
    readdir(tmpdir()),
    readFile('/proc/self/mounts', 'utf8'),
    run('docker', ['ps', '-a', '--format', 'container {{.Names}}']),
    run('docker', ['images', '--format', 'image {{.Repository}}:{{.Tag}}']),
    listProcesses(),
  ]);
  return [
    ...folders.filter((name) => name.startsWith('crac-build-')).map((name) => `folder ${name}`),
    ...mounts.split('\n').filter((line) => line.includes('crac-build')),
    ...containers.stdout.split('\n').filter((line) => line.includes('crac')),
    ...images.stdout.split('\n').filter((line) => line.includes('crac') || line.includes('<none>')),
    ...processes,
  ].sort();
}

/** Our native helpers, JVMs of build containers and container runtimes' monitors. */
async function listProcesses(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const program = await readlink(`/proc/${pid}/exe`).catch(() => '');
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    const isOurs =
      program.startsWith(`${ROOT}/dist/native/`) || command.includes('libcrac.so') || command.includes('crac-build-');
    if (isOurs && pid !== String(process.pid)) found.push(`process ${program} ${command.replaceAll('\0', ' ')}`);
  }
  return found;
}
