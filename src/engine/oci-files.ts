import { chmod, chown, lchown, link, lstat, lutimes, mkdir, open, rm, symlink, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { CracBuildError } from '../errors.ts';
import { type ReadEntry, readTar } from '../tar/read-tar.ts';
import { resolveInRoot } from './resolve-in-root.ts';
import { explainFailedCommand, spawnProgram, throwIfInterrupted, waitForClose } from './run-command.ts';

/** Unpacks at `folder` of the root. What a path names is decided by the links inside the root, and nothing is written outside. */
export async function unpackInRoot(root: string, tar: Readable, folder: string, signal: AbortSignal): Promise<void> {
  const target = await resolveInRoot(root, folder, { followLast: true });
  const stat = await lstat(target).catch(() => undefined);
  if (!stat?.isDirectory()) {
    tar.destroy();
    throw new CracBuildError('ENGINE_FAILED', `${folder} is no folder in the container`);
  }
  const folderTimes: (readonly [path: string, seconds: number])[] = [];
  try {
    for await (const entry of readTar(tar)) {
      throwIfInterrupted(signal);
      const path = await resolveInRoot(root, join(folder, entry.header.path));
      if (entry.header.type === 'directory') folderTimes.push([path, entry.header.mtimeSeconds]);
      await writeEntry(root, folder, path, entry);
    }
    // Last, because writing into a folder changes its time.
    for (const [path, seconds] of folderTimes.reverse()) await utimes(path, seconds, seconds);
  } catch (error) {
    throw explainWriteError(error, folder);
  }
}

async function writeEntry(root: string, folder: string, path: string, { header, content }: ReadEntry): Promise<void> {
  const { type, uid, gid, mode, mtimeSeconds } = header;
  if (type === 'directory') {
    const stat = await lstat(path).catch(() => undefined);
    if (!stat?.isDirectory()) {
      await rm(path, { force: true });
      await mkdir(path);
    }
    await chown(path, uid, gid);
    await chmod(path, mode);
    return;
  }
  await rm(path, { force: true });
  if (type === 'file') {
    const file = await open(path, 'wx', 0o600);
    try {
      for await (const chunk of content) await file.writeFile(chunk);
      await file.chown(uid, gid);
      await file.chmod(mode); // after chown, which clears setuid
      await file.utimes(mtimeSeconds, mtimeSeconds);
    } finally {
      await file.close();
    }
  } else if (type === 'symlink' && header.target !== undefined) {
    await symlink(header.target, path);
    await lchown(path, uid, gid);
    await lutimes(path, mtimeSeconds, mtimeSeconds);
  } else if (type === 'link' && header.target !== undefined) {
    await link(await resolveInRoot(root, join(folder, header.target)), path);
  } else {
    throw new CracBuildError('ENGINE_FAILED', `a ${type} cannot be copied into a container: ${header.path}`);
  }
}

function explainWriteError(error: unknown, folder: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (error instanceof CracBuildError || code === undefined) return error;
  const noSpace = code === 'ENOSPC' || code === 'EDQUOT';
  return new CracBuildError(noSpace ? 'NO_SPACE' : 'ENGINE_FAILED', `copying files to ${folder} failed: ${message}`, {
    ...(noSpace && { hint: 'Free some space, or set XDG_CACHE_HOME to a folder on a larger disk.' }),
    cause: error,
  });
}

/** A tar of `path`, written by the system's tar, which stores links as links. Undefined: there is no such path. */
export async function packFromRoot(root: string, path: string, signal: AbortSignal): Promise<Readable | undefined> {
  throwIfInterrupted(signal);
  const local = await resolveInRoot(root, path);
  if ((await lstat(local).catch(() => undefined)) === undefined) return undefined;
  const argv = [
    'tar',
    '--create',
    '--format=gnu',
    '--numeric-owner',
    '--directory',
    dirname(local),
    '--',
    basename(local),
  ];
  const child = spawnProgram(argv, { stdio: ['ignore', 'pipe', 'pipe'] });
  const words: Buffer[] = [];
  child.stderr?.on('data', (chunk: Buffer) => words.push(chunk));
  const closed = waitForClose(child, argv);
  const output = new Transform({
    transform: (chunk: Buffer, _encoding, done) => done(null, chunk),
    // The end of the output is the end of the tar only when tar says so.
    flush(done) {
      closed.then((exitCode) => {
        const stderr = Buffer.concat(words).toString();
        done(
          exitCode === 0 ? null : explainFailedCommand(`copying ${path} out`, argv, { exitCode, stdout: '', stderr }),
        );
      }, done);
    },
  });
  closed.catch((error: Error) => output.destroy(error));
  const abort = (): unknown => output.destroy(new CracBuildError('INTERRUPTED', 'interrupted'));
  signal.addEventListener('abort', abort, { once: true });
  output.once('close', () => {
    signal.removeEventListener('abort', abort);
    child.kill('SIGKILL');
  });
  return child.stdout?.pipe(output);
}
