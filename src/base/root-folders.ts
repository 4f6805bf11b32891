import { composeDirectory, composeFile, composeSymlink, type TarEntry } from '../tar/entry.ts';

/** The folders and files that any program may expect of a Linux system; users are in accounts.ts. */
export function composeRootFolders(description: string): readonly TarEntry[] {
  const text = (path: string, content: string): TarEntry => composeFile(path, Buffer.from(content));
  return [
    ...[
      'dev',
      'etc',
      'etc/ssl',
      'etc/ssl/certs',
      'home',
      'opt',
      'proc',
      'run',
      'sys',
      'usr',
      'usr/bin',
      'usr/sbin',
    ].map((path) => composeDirectory(path)),
    ...['usr/lib', 'usr/lib/locale', 'usr/share', 'var', 'var/cache', 'var/lib', 'var/log'].map((path) =>
      composeDirectory(path),
    ),
    composeDirectory('root', 0o700),
    composeDirectory('tmp', 0o1777),
    composeDirectory('var/tmp', 0o1777),
    composeSymlink('var/run', '/run'),
    composeSymlink('etc/localtime', '/usr/share/zoneinfo/Etc/UTC'),
    text('etc/timezone', 'Etc/UTC\n'),
    text('etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n'),
    text('etc/os-release', `ID=crac-build\nNAME="crac-build base"\nPRETTY_NAME="${description}"\n`),
  ];
}
