import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { stringify } from 'yaml';
import type { BuildResult } from '../../src/build.ts';
import { openBlob } from '../../src/oci/blob-store.ts';
import { findImage } from '../../src/oci/find-images.ts';
import { readConfig } from '../../src/oci/read-layout.ts';
import { readTar } from '../../src/tar/read-tar.ts';
import { buildImage, type CliOptions, JDKS, PLAIN_HTTP } from './support/build-example.ts';

/** Of the labels: what tells of the checkpoint, and no other build can have the same. */
const OF_CHECKPOINT = /^dev\.crac-build\.(?:checkpoint\.diff-id|warm-up\.seconds)$/;

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'crac-reproducible-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** Builds plain-http out of a folder of its own, in which it was made at `time`. */
async function buildIn(
  name: string,
  time: Date,
  options: CliOptions = {},
): Promise<{ result: BuildResult; out: string }> {
  const folder = join(dir, name);
  const out = join(folder, 'image');
  await mkdir(folder, { recursive: true });
  await cp(join(PLAIN_HTTP, 'target/plain-http.jar'), join(folder, 'plain-http.jar'));
  await utimes(join(folder, 'plain-http.jar'), time, time);
  await writeFile(
    join(folder, 'crac-build.yaml'),
    stringify({
      app: { jar: 'plain-http.jar', javaOptions: ['-Xmx64m', '-XX:+UseSerialGC'], ports: [8080] },
      warmUp: { requests: [{ path: '/', count: 20 }] },
      checkpoint: { settle: '0s' },
      verify: { enabled: false },
    }),
  );
  const flags = ['--engine', 'oci', '--base', `jdk:${JDKS[25]}`, '--output', `oci:${out}`];
  const result = await buildImage(['--config', join(folder, 'crac-build.yaml'), ...flags], options);
  return { result, out };
}

test('all but state and checkpoint are the same in another place, at another time, by another machine', async () => {
  const here = await buildIn('here', new Date());
  const elsewhere = join(dir, 'quite/another place');
  await mkdir(join(elsewhere, 'tmp'), { recursive: true });
  const toolbox = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'crac-build/toolbox/current');
  const there = await buildIn('quite/another place/project', new Date('2001-02-03T04:05:06Z'), {
    cwd: elsewhere,
    environment: {
      ...{ TZ: 'Pacific/Chatham', LANG: 'tr_TR.UTF-8', LC_ALL: 'C', HOME: elsewhere, USER: 'somebody' },
      ...{ TMPDIR: join(elsewhere, 'tmp'), XDG_CACHE_HOME: join(elsewhere, 'an empty cache'), TOOLBOX: toolbox },
    },
    // Another host name, umask and number of processors.
    wrapper: [
      ...['unshare', '--uts', 'taskset', '--cpu-list', '0'],
      ...['sh', '-c', 'hostname elsewhere; umask 077; exec "$@" --toolbox "$TOOLBOX"', 'sh'],
    ],
  });

  // What differs is to be told, not only that something does.
  const [oursBelow, theirsBelow] = await Promise.all([here.out, there.out].map(readLowerLayers));
  expect(theirsBelow).toEqual(oursBelow);
  const layersOf = ({ layers }: BuildResult) => layers.slice(0, 3).map(({ kind, digest }) => [kind, digest]);
  expect(layersOf(here.result).map(([kind]) => kind)).toEqual(['base', 'app', 'runtime']);
  expect(layersOf(there.result)).toEqual(layersOf(here.result));
  const [ours, theirs] = await Promise.all([here.out, there.out].map(readComparable));
  expect(theirs).toEqual(ours);
}, 240_000);

/** Lines with all that base, app and runtime layers say of each path. */
async function readLowerLayers(layout: string): Promise<readonly string[]> {
  const { manifest } = await findImage(layout);
  const lines: string[] = [];
  for (const { digest } of manifest.layers.slice(0, 3)) {
    for await (const { header, content } of readTar(openBlob(join(layout, 'blobs'), digest).pipe(createGunzip()))) {
      const hash = createHash('sha256');
      for await (const chunk of content) hash.update(chunk);
      lines.push(`${JSON.stringify(header)} ${hash.digest('hex')}`);
    }
  }
  return lines;
}

/** The config without what the last layers are. */
async function readComparable(layout: string): Promise<object> {
  const { manifest } = await findImage(layout);
  const config = await readConfig(layout, manifest.config.digest);
  const labels = Object.entries(config.config?.Labels ?? {}).filter(([key]) => !OF_CHECKPOINT.test(key));
  expect(labels.length).toBeGreaterThan(20);
  const rootfs = { ...config.rootfs, diff_ids: config.rootfs.diff_ids.slice(0, 3) };
  return { ...config, rootfs, config: { ...config.config, Labels: Object.fromEntries(labels) } };
}
