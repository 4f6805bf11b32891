import { readFile } from 'node:fs/promises';
import { CracBuildError } from '../errors.ts';
import { resolveInRoot } from './resolve-in-root.ts';

export interface ContainerUser {
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/** "uid", "uid:gid", "name" or "name:group", looked up in the container's own passwd and group; "" is root. */
export async function readUser(root: string, user: string): Promise<ContainerUser> {
  const [name = '', group] = user.split(':');
  const accounts = (await readTable(root, '/etc/passwd')).map((fields) => ({
    name: fields[0],
    uid: Number(fields[2]),
    gid: Number(fields[3]),
    home: fields[5],
  }));
  const wanted = name || '0';
  const isNumber = /^\d+$/.test(wanted);
  const account = accounts.find((entry) => (isNumber ? entry.uid === Number(wanted) : entry.name === wanted));
  if (account === undefined && !isNumber) throw unknown('user', wanted);
  const uid = account?.uid ?? Number(wanted);
  const gid = group === undefined ? (account?.gid ?? 0) : await readGroup(root, group);
  return { uid, gid, home: account?.home || '/' };
}

async function readGroup(root: string, group: string): Promise<number> {
  if (/^\d+$/.test(group)) return Number(group);
  const found = (await readTable(root, '/etc/group')).find(([name]) => name === group);
  if (found === undefined) throw unknown('group', group);
  return Number(found[2]);
}

async function readTable(root: string, path: string): Promise<string[][]> {
  const text = await readFile(await resolveInRoot(root, path, { followLast: true }), 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(':'));
}

function unknown(kind: string, name: string): CracBuildError {
  return new CracBuildError('ENGINE_FAILED', `the image has no ${kind} ${name}`, {
    hint: 'Use numbers ("uid:gid"), or add the name to the image’s /etc/passwd and /etc/group.',
  });
}
