import { access, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, normalize, relative } from 'node:path';
import { composeFile, composeSymlink, type TarEntry } from '../tar/entry.ts';
import { runTool } from './run-tool.ts';

/**
 * Beside glibc itself and opened by name at run time, so that no ELF header tells of them: name service and resolver
 * (files of their own before glibc 2.34), libgcc_s (pthread_cancel), and what native parts of libraries expect of any
 * system.
 */
const BESIDE_LIBC = [
  'libnss_files.so.2',
  'libnss_dns.so.2',
  'libresolv.so.2',
  'libgcc_s.so.1',
  'libstdc++.so.6',
  'libz.so.1',
  'libm.so.6',
  'libdl.so.2',
  'librt.so.1',
  'libpthread.so.0',
];

/** The loader, and folders that every loader searches without a configuration; links into /usr on merged systems. */
const TOP_FOLDERS = ['lib', 'lib64', 'bin', 'sbin'];

/**
 * The shared libraries that the given programs and libraries need, at the places where they lie on the build machine;
 * those below `ownFolder`, found through a run path, are left out. The machine's own ldd is asked, which runs its loader
 * on the files: they are the JDK's and trusted.
 */
export async function readSharedLibraries(
  elfFiles: readonly string[],
  ownFolder: string,
  signal: AbortSignal,
): Promise<readonly TarEntry[]> {
  const own = `${await realpath(ownFolder)}/`;
  const needed = parseLdd(await runTool('ldd', elfFiles, signal)).filter((path) => !normalize(path).startsWith(own));
  const libc = needed.find((path) => basename(path).startsWith('libc.so.'));
  const libcFolder = libc === undefined ? undefined : dirname(libc);
  if (libcFolder !== undefined) {
    for (const name of BESIDE_LIBC) {
      if (await exists(join(libcFolder, name))) needed.push(join(libcFolder, name));
    }
  }
  const entries = new Map<string, TarEntry>();
  for (const path of needed) {
    for (const entry of await readLibrary(path, libcFolder)) entries.set(entry.path, entry);
  }
  for (const entry of await readTopFolderLinks()) entries.set(entry.path, entry);
  return [...entries.values()];
}

/**
 *     libm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007f…)
 *     /lib64/ld-linux-x86-64.so.2 (0x00007f…)
 *     libX11.so.6 => not found            graphics that no container shows: left out
 */
export function parseLdd(out: string): string[] {
  const paths = out.split('\n').flatMap((line) => /(?:=> |^\s+)(\/\S+) \(0x[0-9a-f]+\)$/.exec(line)?.[1] ?? []);
  return [...new Set(paths)].sort();
}

/** The file at its real place, and a link where the name by which it is asked for is another one. */
async function readLibrary(path: string, libcFolder: string | undefined): Promise<readonly TarEntry[]> {
  const real = await realpath(path);
  const { size, mode } = await stat(real);
  const entries = [composeFile(real.slice(1), { localPath: real, sizeBytes: size }, mode & 0o111 ? 0o755 : 0o644)];
  const names = [join(await realpath(dirname(path)), basename(path))];
  // A folder that only the build machine's ld.so.conf knows: the image has no such file, so the name goes beside libc's.
  if (libcFolder !== undefined && !basename(path).startsWith('ld-')) {
    names.push(join(await realpath(libcFolder), basename(path)));
  }
  for (const name of new Set(names)) {
    if (name !== real) entries.push(composeSymlink(name.slice(1), relative(dirname(name), real)));
  }
  return entries;
}

async function readTopFolderLinks(): Promise<readonly TarEntry[]> {
  const entries: TarEntry[] = [];
  for (const name of TOP_FOLDERS) {
    const real = await realpath(`/${name}`).catch(() => `/${name}`);
    if (real !== `/${name}`) entries.push(composeSymlink(name, real.slice(1)));
  }
  return entries;
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
