import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { CracBuildError } from '../errors.ts';
import { type AptArchive, readAptArchive } from './apt-archive.ts';
import { runTool } from './run-tool.ts';

const OTHER_WAYS =
  'On a Debian machine run `crac-build toolbox --export FILE`, and here `crac-build toolbox --import FILE`; or point to a CRIU with --criu.';

/** Unpacks CRIU and all it depends on from Debian unstable into `root`; gives the packages' versions. */
export async function extractCriu(root: string, signal: AbortSignal): Promise<Readonly<Record<string, string>>> {
  const archive = await findArchive(signal);
  const argv = composeMmdebstrap(archive, root);
  const { exitCode, stderr } = await runTool(argv, signal, `Install mmdebstrap. ${OTHER_WAYS}`);
  if (exitCode !== 0) {
    const lines = stderr.trim().split('\n');
    throw new CracBuildError('TOOLBOX_MISSING', 'mmdebstrap could not unpack CRIU from the Debian archive', {
      hint: OTHER_WAYS,
      details: lines.slice(-20),
    });
  }
  return await readPackageVersions(root);
}

/** `extract` runs no maintainer script, so that no chroot and no privilege is needed. */
function composeMmdebstrap({ uri, keyring, options }: AptArchive, root: string): readonly string[] {
  return [
    ...['mmdebstrap', '--quiet', '--variant=extract', '--include=criu', `--keyring=${keyring}`],
    ...options.map((option) => `--aptopt=${option}`),
    ...['sid', root, `deb [signed-by=${keyring}] ${uri} sid main`],
  ];
}

async function findArchive(signal: AbortSignal): Promise<AptArchive> {
  const hint = `This machine has no apt. ${OTHER_WAYS}`;
  const targets = await runTool(['apt-get', 'indextargets'], signal, hint);
  const config = await runTool(['apt-config', 'dump'], signal, hint);
  const archive = await readAptArchive(targets.stdout, config.stdout);
  if (archive !== undefined) return archive;
  throw new CracBuildError('TOOLBOX_MISSING', 'the apt of this machine knows no Debian archive to take CRIU from', {
    hint: OTHER_WAYS,
  });
}

/** From the first line of each changelog, "criu (4.2.1-1) unstable; …": an extracted root has no package database. */
async function readPackageVersions(root: string): Promise<Readonly<Record<string, string>>> {
  const docs = join(root, 'usr/share/doc');
  const versions: Record<string, string> = {};
  for (const name of (await readdir(docs)).sort()) {
    for (const file of ['changelog.Debian.gz', 'changelog.gz']) {
      const packed = await readFile(join(docs, name, file)).catch(() => undefined);
      const version = packed && /^\S+ \(([^)]+)\)/.exec(gunzipSync(packed).toString('utf8', 0, 400))?.[1];
      if (version !== undefined) versions[name] ??= version;
    }
  }
  return versions;
}
