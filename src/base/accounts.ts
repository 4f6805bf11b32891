import { composeFile, type TarEntry } from '../tar/entry.ts';

interface User {
  readonly uid: number;
  readonly gid: number;
}

const NOBODY = 65534;

/** /etc/passwd and /etc/group: root, nobody and, where it is another one, the app's user with home /app. */
export function composeAccounts(app?: User): readonly TarEntry[] {
  const users = ['root:x:0:0:root:/root:/sbin/nologin'];
  const groups = ['root:x:0:'];
  if (app !== undefined && app.uid !== 0 && app.uid !== NOBODY) {
    users.push(`app:x:${app.uid}:${app.gid}:app:/app:/sbin/nologin`);
  }
  if (app !== undefined && app.gid !== 0 && app.gid !== NOBODY) groups.push(`app:x:${app.gid}:`);
  users.push(`nobody:x:${NOBODY}:${NOBODY}:nobody:/nonexistent:/sbin/nologin`);
  groups.push(`nogroup:x:${NOBODY}:`);
  return [
    composeFile('etc/passwd', Buffer.from(`${users.join('\n')}\n`)),
    composeFile('etc/group', Buffer.from(`${groups.join('\n')}\n`)),
  ];
}

/** The same on a base that has accounts of its own: the app's user is added where it has no name there. Nothing where all is there. */
export function addAccounts(
  base: { readonly passwd: string; readonly group: string },
  { uid, gid }: User,
): readonly TarEntry[] {
  if (base.passwd === '' && base.group === '') return composeAccounts({ uid, gid });
  const entries: TarEntry[] = [];
  const add = (path: string, text: string, id: number, line: string): void => {
    const lines = text.split('\n').filter((known) => known !== '');
    if (lines.some((known) => known.split(':')[2] === String(id))) return;
    const name = lines.some((known) => known.startsWith('app:')) ? `app${id}` : 'app';
    entries.push(composeFile(path, Buffer.from([...lines, `${name}:${line}`, ''].join('\n'))));
  };
  add('etc/passwd', base.passwd, uid, `x:${uid}:${gid}:app:/app:/sbin/nologin`);
  add('etc/group', base.group, gid, `x:${gid}:`);
  return entries;
}
