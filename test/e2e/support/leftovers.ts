import { execFile } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Everything that a build left on this machine, as sorted lines. The build had `tmp` as its TMPDIR, which its processes
 * inherit, and `name` in its plan, which its containers, images and jar carry.
 */
export async function listLeftovers(tmp: string, name: string): Promise<readonly string[]> {
  const processes = await listProcesses(tmp, name); // before `find`, whose command has the name
  const [folders, mounts, containers, images, cgroups] = await Promise.all([
    readdir(tmp),
    readFile('/proc/self/mounts', 'utf8'),
    run('docker', ['ps', '-a', '--format', 'container {{.Names}}']),
    run('docker', ['images', '--format', 'image {{.Repository}}:{{.Tag}}']),
    run('find', ['/sys/fs/cgroup', '-maxdepth', '4', '-name', `*${name}*`]),
  ]);
  const isOurs = (line: string) => line.includes(name) || line.includes(tmp);
  return [
    ...folders.map((folder) => `folder ${folder}`),
    ...[mounts, containers.stdout, images.stdout, cgroups.stdout].flatMap((text) => text.split('\n').filter(isOurs)),
    ...processes,
  ].sort();
}

async function listProcesses(tmp: string, name: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry) && entry !== String(process.pid))) {
    const read = (file: string) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
    const [program, command, environment] = [
      await readlink(`/proc/${pid}/exe`).catch(() => ''),
      await read('cmdline'),
      await read('environ'),
    ];
    const isOurs = environment.split('\0').includes(`TMPDIR=${tmp}`) || command.includes(name);
    if (isOurs) found.push(`process ${pid} ${program} ${command.replaceAll('\0', ' ')}`);
  }
  return found;
}
