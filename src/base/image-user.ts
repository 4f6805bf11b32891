import { CracBuildError } from '../errors.ts';
import { type RootIndex, resolveIn } from './root-index.ts';

export interface ImageUser {
  readonly uid: number;
  readonly gid: number;
}

/** "", "1000", "1000:0", "app" or "app:app" of an image's config, looked up in its own /etc/passwd and /etc/group. */
export function findImageUser(root: RootIndex, user: string): ImageUser | undefined {
  const [name = '', group] = user.split(':');
  const accounts = readTable(root, '/etc/passwd');
  const line = accounts.find((fields) => (/^\d+$/.test(name) ? fields[2] === name : fields[0] === name));
  const uid = name === '' ? 0 : Number(/^\d+$/.test(name) ? name : (line?.[2] ?? Number.NaN));
  const groupLine = readTable(root, '/etc/group').find((fields) => fields[0] === group);
  const gid =
    group === undefined || group === ''
      ? Number(line?.[3] ?? 0)
      : Number(/^\d+$/.test(group) ? group : (groupLine?.[2] ?? Number.NaN));
  return Number.isInteger(uid) && Number.isInteger(gid) ? { uid, gid } : undefined;
}

export function refuseUser(source: string, user: string): CracBuildError {
  return new CracBuildError('INPUT_INVALID', `${source} is to run as ${user}, which its /etc/passwd does not know`, {
    hint: 'Say who the app runs as: app.user (--user UID:GID).',
  });
}

/** Text of an account file; "" where there is none. */
export function readAccounts(root: RootIndex, path: '/etc/passwd' | '/etc/group'): string {
  return resolveIn(root, path)?.entry.content?.toString() ?? '';
}

function readTable(root: RootIndex, path: '/etc/passwd' | '/etc/group'): readonly (readonly string[])[] {
  return readAccounts(root, path)
    .split('\n')
    .map((line) => line.split(':'));
}
