import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { Container, ExecResult } from '../engine/engine.ts';
import { CracBuildError } from '../errors.ts';
import { composeDirectory, composeFile } from '../tar/entry.ts';
import { readTar } from '../tar/read-tar.ts';
import { openTar } from '../tar/write-tar.ts';
import type { Toolbox } from '../world.ts';
import { listToolboxEntries } from './carry-toolbox.ts';
import { diagnoseLog } from './diagnose-log.ts';
import { composeCriuCommand } from './toolbox.ts';

/** In the build container only: nothing below it reaches the image. */
export const CRIU_PLACE = '/opt/crac-build';
const DUMP_FOLDER = `${CRIU_PLACE}/dump`;
const LOG_NAME = 'dump.log';

export interface AppUser {
  readonly uid: number;
  readonly gid: number;
}

/** Copies the toolbox and the launcher in, and makes the folder of the dump, which is the app's. `launch`: local path and size. */
export async function installCriu(
  container: Container,
  toolbox: Toolbox,
  launch: { readonly localPath: string; readonly sizeBytes: number },
  user: AppUser,
  signal: AbortSignal,
): Promise<void> {
  const entries = [
    composeDirectory('crac-build'),
    composeDirectory('crac-build/toolbox'),
    ...(await listToolboxEntries(toolbox, 'crac-build/toolbox/')),
    composeFile('crac-build/launch', launch, 0o755),
    composeDirectory('crac-build/dump', 0o700, user),
  ];
  await container.copyIn(openTar(entries), '/opt', signal);
}

/** Looks whether this CRIU can work in this container; CRIU_UNSUITABLE with what is missing. */
export async function requireWorkingCriu(
  container: Container,
  toolbox: Toolbox,
  user: AppUser,
  signal: AbortSignal,
): Promise<void> {
  const { exitCode, stdout, stderr } = await runCriu(container, toolbox, user, ['check', '--unprivileged'], signal);
  const lines = `${stderr}\n${stdout}`.split('\n').filter((line) => line.trim() !== '');
  if (exitCode === 0 || hasOnlyRestoreErrors(lines)) return;
  const { sentence } = diagnoseLog(lines.filter((line) => !RESTORE_ONLY.test(line)).join('\n'));
  throw new CracBuildError(
    'CRIU_UNSUITABLE',
    `CRIU ${toolbox.criuVersion} cannot work in the build container: ${sentence}`,
    {
      hint: 'The build container needs CAP_CHECKPOINT_RESTORE (Docker before 23: CAP_SYS_ADMIN), CAP_SYS_PTRACE, CAP_SETUID, CAP_SETGID and seccomp=unconfined, and a kernel of 5.9 or newer. If it has them, try another CRIU (--criu).',
      details: lines.slice(-20),
    },
  );
}

/** /proc/sys is read-only in a container; only `criu restore` writes there, and that is not how we restore. */
const RESTORE_ONLY = /sys\/kernel\/ns_last_pid sysctl is inaccessible/;

function hasOnlyRestoreErrors(lines: readonly string[]): boolean {
  const errors = lines.filter((line) => /\bError \(/.test(line));
  return errors.length > 0 && errors.every((line) => RESTORE_ONLY.test(line));
}

/**
 * Dumps process `pid` and leaves it stopped. On failure CHECKPOINT_FAILED (or NO_SPACE) with what the log says; the process
 * then runs on.
 */
export async function dumpProcess(
  container: Container,
  toolbox: Toolbox,
  user: AppUser,
  pid: number,
  signal: AbortSignal,
): Promise<void> {
  const options = ['--unprivileged', '--shell-job', '--tcp-close', '--manage-cgroups=ignore', '--leave-stopped'];
  const argv = ['dump', '-t', String(pid), '-D', DUMP_FOLDER, ...options, '-v4', '-o', LOG_NAME];
  const { exitCode, stdout, stderr } = await runCriu(container, toolbox, user, argv, signal);
  if (exitCode === 0) return;
  const log = await readLog(container, signal);
  const { sentence, hint, lines, noSpace } = diagnoseLog(log || `${stdout}\n${stderr}`);
  const code = noSpace ? 'NO_SPACE' : 'CHECKPOINT_FAILED';
  throw new CracBuildError(code, `CRIU could not dump the app (exit code ${exitCode}): ${sentence}`, {
    hint,
    details: lines,
  });
}

/** The dump as a tar; entry names start with "dump". */
export async function openDump(container: Container, signal: AbortSignal): Promise<Readable> {
  const tar = await container.copyOut(DUMP_FOLDER, signal);
  if (tar !== undefined) return tar;
  throw new CracBuildError('CHECKPOINT_FAILED', 'the dump has vanished from the build container');
}

/** `argv` with the app's ids and the container's capabilities, see native/tools/launch.c. */
export function composeLaunch({ uid, gid }: AppUser, argv: readonly string[]): readonly string[] {
  return [`${CRIU_PLACE}/launch`, String(uid), String(gid), '--', ...argv];
}

async function runCriu(
  container: Container,
  toolbox: Toolbox,
  user: AppUser,
  argv: readonly string[],
  signal: AbortSignal,
): Promise<ExecResult> {
  const criu = composeCriuCommand(toolbox, `${CRIU_PLACE}/toolbox`);
  return await container.exec(composeLaunch(user, [...criu, ...argv]), {
    user: '0:0',
    // CRIU keeps there what it found out about the kernel, which saves the second call some time. It must be a tmpfs.
    environment: { XDG_RUNTIME_DIR: '/dev/shm' },
    signal,
  });
}

async function readLog(container: Container, signal: AbortSignal): Promise<string> {
  const tar = await container.copyOut(`${DUMP_FOLDER}/${LOG_NAME}`, signal).catch(() => undefined);
  if (tar === undefined) return '';
  for await (const { content } of readTar(tar)) return await text(Readable.from(content));
  return '';
}
