import { randomBytes } from 'node:crypto';
import { readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CracBuildError } from '../errors.ts';
import type { Container, ContainerSpec } from './engine.ts';
import { createLineRing } from './line-ring.ts';
import { openOciContainer } from './oci-container.ts';
import type { RuntimeCommand } from './oci-runtime-command.ts';
import { composeRuntimeSpec, type SpecPlace } from './oci-spec.ts';
import { makeOwnedFolder, type UnpackedImage } from './oci-store.ts';
import { readUser } from './oci-users.ts';
import { makeOpenFolder, writeOpenFile } from './open-to-all.ts';
import { PREFIX } from './owner.ts';
import {
  explainFailedCommand,
  runCommand,
  runOrFail,
  spawnProgram,
  throwIfInterrupted,
  waitForClose,
} from './run-command.ts';

/** What all containers of this engine share. */
export interface OciContext {
  readonly storeDir: string;
  readonly runtime: RuntimeCommand;
  /** Where `capture`, `forward`, `netns` and `whiteouts` lie. */
  readonly nativeDir: string;
}

/** 1980-01-01: mount points do not make an image differ from run to run. */
const FIXED_MTIME_SECONDS = 315532800;

/**
 * containers/ID/
 *   config.json       OCI runtime spec
 *   owner             the process that made it
 *   points/           empty mount points, the lowest layer, so that the upper one holds only what the app wrote
 *   upper/ work/      overlayfs
 *   root/             where all layers are mounted
 *   hosts … pid       small files
 */
export async function launchOciContainer(
  context: OciContext,
  unpacked: UnpackedImage,
  spec: ContainerSpec,
  signal: AbortSignal,
): Promise<Container> {
  const id = `${spec.name.startsWith(PREFIX) ? '' : PREFIX}${spec.name}-${randomBytes(4).toString('hex')}`;
  const folder = await makeOwnedFolder(join(context.storeDir, 'containers'), id);
  try {
    await mountOverlay(context, unpacked, spec, folder, signal);
    const place = await writeBundle(context, unpacked, spec, folder, id);
    return await startContainer(context, unpacked, spec, { folder, id, place }, signal);
  } catch (error) {
    await removeOciContainer(context, folder, id).catch(() => undefined); // the first error says more
    throw error;
  }
}

async function mountOverlay(
  { storeDir }: OciContext,
  { image, layerFolders }: UnpackedImage,
  spec: ContainerSpec,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const points = join(folder, 'points');
  for (const name of ['upper', 'work', 'root', 'points']) await makeOpenFolder(join(folder, name));
  const folders = ['/proc', '/sys', '/dev', ...spec.tmpfs, image.config.workingDir || '/'];
  for (const path of folders) await makeOpenFolder(join(points, path));
  for (const path of FILES) {
    await makeOpenFolder(dirname(join(points, path)));
    await writeOpenFile(join(points, path), '');
  }
  for (const path of [...folders, ...FILES, '/etc', '/']) {
    await utimes(join(points, path), FIXED_MTIME_SECONDS, FIXED_MTIME_SECONDS);
  }
  const name = folder.slice(storeDir.length + 1);
  const lower = [...[...layerFolders].reverse(), `${name}/points`].join(':');
  const options = `lowerdir=${lower},upperdir=${name}/upper,workdir=${name}/work`;
  await runOrFail(['mount', '-t', 'overlay', 'overlay', '-o', options, join(folder, 'root')], 'mounting the overlay', {
    cwd: storeDir,
    signal,
  });
}

/** Mounted over the container's own, as Docker does it. */
const FILES = ['/etc/hosts', '/etc/hostname', '/etc/resolv.conf'] as const;

async function writeBundle(
  { runtime }: OciContext,
  { image }: UnpackedImage,
  spec: ContainerSpec,
  folder: string,
  id: string,
): Promise<SpecPlace> {
  const hostName = id.slice(-8);
  const isHost = spec.network === 'host';
  // The first line that has a name wins.
  const localNames = (spec.localNames ?? []).map((name) => `127.0.0.1 ${name}\n`).join('');
  const contents = {
    '/etc/hosts': `${localNames}${
      isHost
        ? await readFile('/etc/hosts', 'utf8').catch(() => '127.0.0.1 localhost\n')
        : `127.0.0.1 localhost\n::1 localhost\n127.0.0.1 ${hostName}\n`
    }`,
    '/etc/hostname': `${hostName}\n`,
    '/etc/resolv.conf': isHost ? await readFile('/etc/resolv.conf', 'utf8').catch(() => '') : '',
  };
  const files: Record<string, string> = {};
  for (const [path, content] of Object.entries(contents)) {
    const local = join(folder, path.slice('/etc/'.length));
    await writeOpenFile(local, content);
    files[path] = local;
  }
  const user = await readUser(join(folder, 'root'), spec.user ?? image.config.user);
  const place: SpecPlace = {
    image: image.config,
    user,
    hostName,
    cgroupsPath: `/${id}`,
    files,
    knowsCheckpointRestore: runtime.knowsCheckpointRestore,
  };
  await writeFile(join(folder, 'config.json'), JSON.stringify(composeRuntimeSpec(spec, place), null, 2));
  return place;
}

async function startContainer(
  context: OciContext,
  unpacked: UnpackedImage,
  spec: ContainerSpec,
  { folder, id, place }: { readonly folder: string; readonly id: string; readonly place: SpecPlace },
  signal: AbortSignal,
): Promise<Container> {
  const pidFile = join(folder, 'pid');
  const run = [...context.runtime.argv, 'run', '--bundle', folder, '--pid-file', pidFile, id];
  throwIfInterrupted(signal);
  const child = spawnProgram([join(context.nativeDir, 'capture'), ...run], { stdio: ['ignore', 'pipe', 'pipe'] });
  const log = createLineRing();
  child.stdout?.on('data', log.openWriter());
  child.stderr?.on('data', log.openWriter());
  let exitCode: number | undefined;
  const exited = waitForClose(child, run).then((code) => {
    exitCode = code;
    return { exitCode: code };
  });
  exited.catch(() => undefined); // seen below
  for (;;) {
    throwIfInterrupted(signal);
    const pid = Number(await readFile(pidFile, 'utf8').catch(() => ''));
    if (pid > 0) return openOciContainer({ context, unpacked, spec, folder, id, place, pid, log, exited });
    if (exitCode !== undefined) {
      throw explainFailedCommand(`starting ${spec.name} with ${context.runtime.name}`, run, {
        exitCode,
        stdout: '',
        stderr: log.lastLines(20).join('\n'),
      });
    }
    await Promise.race([exited, sleep(10)]);
  }
}

/** Ends the container and takes away all it held. Also used on what a killed run left behind. */
export async function removeOciContainer(context: OciContext, folder: string, id: string): Promise<void> {
  await runCommand([...context.runtime.argv, 'delete', '--force', id]);
  const root = join(folder, 'root');
  for (let attempt = 0; await isMountPoint(root); attempt++) {
    const { exitCode, stderr } = await runCommand(['umount', root]);
    if (exitCode === 0) continue;
    if (attempt === 50) {
      await runOrFail(['umount', '--lazy', root], `unmounting ${root}`);
      throw new CracBuildError('ENGINE_FAILED', `${root} stayed busy: ${stderr.trim()}`);
    }
    await sleep(100); // the last processes are ending
  }
  await rm(folder, { recursive: true, force: true });
}

async function isMountPoint(path: string): Promise<boolean> {
  const [here, above] = await Promise.all([
    stat(path).catch(() => undefined),
    stat(dirname(path)).catch(() => undefined),
  ]);
  return here !== undefined && here.dev !== above?.dev;
}
