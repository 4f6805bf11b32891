/**
 * node scripts/run-ts.mjs scripts/install-jdk21.ts: puts OpenJDK 21 for the tests into the cache, and prints its home.
 *
 * It is Debian 13's, and needs that system's C library. So it is unpacked together with it, and its programs are told to
 * use the loader and the libraries that lie beside them: the JDK then runs anywhere, under any user, without a chroot.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { readAptArchive } from '../src/criu/apt-archive.ts';

const SUITE = 'trixie';
const LIBRARIES = 'usr/lib/x86_64-linux-gnu';
const HOME = 'usr/lib/jvm/java-21-openjdk-amd64';

const root = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'crac-build-test/jdk-21');
const home = join(root, HOME);
if (!existsSync(home)) await install();
console.log(home);

/** The programs know the absolute path of their loader: all happens in the final place, whose home comes last. */
async function install(): Promise<void> {
  console.error(`Unpacking OpenJDK 21 of Debian 13 into ${root}`);
  rmSync(root, { recursive: true, force: true });
  mkdirSync(dirname(root), { recursive: true });
  await unpack();
  const unfinished = `${home}.part`;
  renameSync(home, unfinished);
  relink(unfinished);
  for (const program of programs(unfinished)) useOwnLibraries(program);
  execFileSync(join(unfinished, 'bin/java'), ['-Xshare:dump'], { stdio: 'pipe' }); // the package does it when installed
  renameSync(unfinished, home);
}

async function unpack(): Promise<void> {
  const ask = (...argv: [string, string]) => execFileSync(argv[0], [argv[1]], { encoding: 'utf8' });
  const archive = await readAptArchive(ask('apt-get', 'indextargets'), ask('apt-config', 'dump'));
  if (archive === undefined) throw new Error('the apt of this machine knows no Debian archive to take OpenJDK 21 from');
  const { uri, keyring, options } = archive;
  execFileSync(
    'mmdebstrap',
    [
      ...['--quiet', '--variant=extract', '--include=openjdk-21-jdk-headless,patchelf', `--keyring=${keyring}`],
      ...options.map((option) => `--aptopt=${option}`),
      ...[SUITE, root, `deb [signed-by=${keyring}] ${uri} ${SUITE} main`],
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
}

/** The configuration lies in the root's /etc, not in the machine's. */
function relink(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) relink(path);
    if (!entry.isSymbolicLink()) continue;
    const target = join(root, readlinkSync(path));
    if (!readlinkSync(path).startsWith('/') || !existsSync(target)) continue;
    rmSync(path);
    symlinkSync(target, path);
  }
}

function programs(jdk: string): readonly string[] {
  const bin = join(jdk, 'bin');
  return [...readdirSync(bin).map((name) => join(bin, name)), join(jdk, 'lib/jspawnhelper')];
}

function useOwnLibraries(program: string): void {
  const loader = join(root, LIBRARIES, 'ld-linux-x86-64.so.2');
  const libraries = join(root, LIBRARIES);
  execFileSync(loader, [
    ...['--library-path', libraries, join(root, 'usr/bin/patchelf')],
    // DT_RPATH, unlike DT_RUNPATH, also holds for what the libraries need
    ...['--set-interpreter', loader, '--force-rpath', '--set-rpath', `$ORIGIN/../lib:$ORIGIN:${libraries}`, program],
  ]);
}
