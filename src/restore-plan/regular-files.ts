import type { FileEntry, Present } from '../criu/schema.ts';
import type { DescriptorContext } from './descriptors.ts';
import { ANY_SIZE, FD, type FdRecord } from './format.ts';

const OPEN_MODE = 3;
const O_WRONLY = 1;
const O_CREAT = 0o100;
const O_PATH = 0o10000000;
const TYPE_MASK = 0o170000;
const REGULAR = 0o100000;
const FOLDER = 0o040000;
const CHARACTER_DEVICE = 0o020000;
const KERNEL_FILES = /^\/(proc|sys)\//;
const STATELESS_DEVICES = ['/dev/null', '/dev/zero', '/dev/full', '/dev/random', '/dev/urandom'];

/** Each container gets its own from the engine; Podman and CRI-O name a user in the last two whom the image does not know. */
export const MADE_BY_ENGINE: readonly string[] = [
  ...['/etc/hosts', '/etc/hostname', '/etc/resolv.conf', '/etc/passwd', '/etc/group'],
];

export function isOpenForReading({ mode, flags }: Present<FileEntry['regular']>): boolean {
  return (mode & TYPE_MASK) === REGULAR && (flags & OPEN_MODE) === 0;
}

export async function planRegularFile(
  common: { readonly fd: number; readonly fd_flags: number },
  id: number,
  file: Present<FileEntry['regular']>,
  { dump, actions, rootFile, blob, refuse }: DescriptorContext,
): Promise<FdRecord | undefined> {
  const action = actions?.get(id);
  const object = `descriptor ${common.fd} (${file.path})`;
  if (dump.deletedFiles.has(id)) {
    refuse(object, 'it was deleted, or never had a name', 'Close temporary files in beforeCheckpoint');
    return undefined;
  }
  const record = { ...common, kind: FD.FILE, flags: file.flags, a: file.position, path_blob: blob.text(file.path) };
  const type = file.mode & TYPE_MASK;
  if (type === CHARACTER_DEVICE && STATELESS_DEVICES.includes(file.path)) return { ...record, a: 0 };
  if (type !== CHARACTER_DEVICE && KERNEL_FILES.test(file.path)) {
    refuse(
      object,
      'it is a file that the kernel makes',
      'Close it in beforeCheckpoint and open it again in afterRestore',
    );
    return undefined;
  }
  if (type === FOLDER) return record;
  if (type !== REGULAR) {
    refuse(object, 'it is a device', 'Close it in beforeCheckpoint');
    return undefined;
  }
  if ((file.flags & OPEN_MODE) !== 0 && action !== undefined) {
    // Who only writes can begin anew where the file is not there, as on a fresh volume.
    const isMade = action === 'reopen' && (file.flags & OPEN_MODE) === O_WRONLY;
    return { ...record, flags: file.flags | (isMade ? O_CREAT : 0), b: file.sizeBytes, c: file.mode & 0o777 };
  }
  if ((file.flags & OPEN_MODE) !== 0) {
    refuse(
      object,
      'it is open for writing',
      'Allow it with a policy (action: reopen), close it in beforeCheckpoint, or log to stdout',
    );
    return undefined;
  }
  if (file.flags & O_PATH) {
    refuse(object, 'it was opened with O_PATH', 'Close it in beforeCheckpoint');
    return undefined;
  }
  const found = await rootFile(file.path);
  if (found === undefined || found.sizeBytes !== file.sizeBytes) {
    const now =
      found === undefined ? 'does not exist any more' : `has ${found.sizeBytes} bytes now, not ${file.sizeBytes}`;
    refuse(object, `it ${now}`, 'Do not delete or change files that the app holds open');
    return undefined;
  }
  return { ...record, b: MADE_BY_ENGINE.includes(file.path) ? ANY_SIZE : file.sizeBytes };
}
