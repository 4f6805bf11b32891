/**
 * node scripts/run-ts.mjs scripts/install-test-base.ts SUITE JAVA: puts a whole Debian root with that system's own OpenJDK into
 * the cache of the tests, as an image layout such as registries hand out, and prints its folder. `bookworm 17`, `trixie 21`, …
 * With `fedora-like` behind them the root is laid out as Fedora's and Amazon Linux' are.
 */
import { execFileSync } from 'node:child_process';
import { createReadStream, existsSync, mkdirSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { readAptArchive } from '../src/criu/apt-archive.ts';
import { openDigestMeter, writeBlob } from '../src/oci/blob-store.ts';
import { openGzip } from '../src/oci/gzip.ts';
import { writeLayout } from '../src/oci/write-layout.ts';

const [suite = '', java = '', form] = process.argv.slice(2);
if (!/^[a-z]+$/.test(suite) || !/^\d+$/.test(java) || (form !== undefined && form !== 'fedora-like'))
  throw new Error('usage: install-test-base.ts SUITE JAVA [fedora-like]');
const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'crac-build-test/debian-bases');
const layout = join(cache, `${form ?? suite}-${java}`);
if (!existsSync(layout)) await install();
console.log(layout);

async function install(): Promise<void> {
  console.error(`Making an image of Debian ${suite} with OpenJDK ${java} in ${layout}`);
  mkdirSync(cache, { recursive: true });
  const work = `${layout}.part`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(join(work, 'tar'), { recursive: true });
  try {
    const tar = join(work, 'tar/root.tar');
    await makeRoot(tar);
    const blobDir = join(work, 'blobs');
    const meter = openDigestMeter();
    const blob = await writeBlob(blobDir, createReadStream(tar), [meter.stream, openGzip(1)]);
    const { digest: diffId, sizeBytes: uncompressedBytes } = meter.takeBlob();
    const image = {
      blobDir,
      layers: [{ kind: 'base', compression: 'gzip', ...blob, diffId, uncompressedBytes }],
      config: {
        architecture: 'amd64',
        os: 'linux',
        user: '',
        environment: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
        entrypoint: [],
        command: ['bash'],
        workingDir: '/',
        ports: [],
        labels: { 'test.suite': suite },
        stopSignal: 'SIGTERM',
        // Nobody is to take the layer for one of crac-build's.
        inherited: {
          ...{ otherPorts: [], volumes: [] },
          history: [{ created: '1980-01-01T00:00:00Z', created_by: 'mmdebstrap' }],
        },
      },
    } as const;
    await writeLayout(image, layout, 'latest');
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** As Debian's own images are made: the required packages, with their scripts run. */
async function makeRoot(tar: string): Promise<void> {
  const ask = (...argv: [string, string]) => execFileSync(argv[0], [argv[1]], { encoding: 'utf8' });
  const archive = await readAptArchive(ask('apt-get', 'indextargets'), ask('apt-config', 'dump'));
  if (archive === undefined) throw new Error(`the apt of this machine knows no Debian archive to take ${suite} from`);
  const { uri, keyring, options } = archive;
  execFileSync(
    'mmdebstrap',
    [
      ...[
        '--mode=root',
        '--variant=minbase',
        `--include=openjdk-${java}-jre-headless${form === undefined ? '' : ',libc6-i386'}`,
      ],
      ...(form === undefined ? [] : [`--customize-hook=${resolve('scripts/make-fedora-like')} "$1"`]),
      ...[`--keyring=${keyring}`, ...options.map((option) => `--aptopt=${option}`)],
      ...['--dpkgopt=path-exclude=/usr/share/doc/*', '--dpkgopt=path-exclude=/usr/share/locale/*'],
      ...[suite, tar, `deb [signed-by=${keyring}] ${uri} ${suite} main`],
    ],
    { stdio: ['ignore', 'inherit', 'inherit'], cwd: dirname(tar) },
  );
}
