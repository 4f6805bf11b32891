import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import type { BuildResult } from '../../src/build.ts';
import { locateCachedBlobs, readRecord, writeRecord } from '../../src/cache/record.ts';
import { locateBlob } from '../../src/oci/blob-store.ts';
import { writeLayer } from '../../src/oci/layer.ts';
import { validateLayout } from '../../src/oci/validate.ts';
import { composeDirectory, composeFile } from '../../src/tar/entry.ts';
import { JDKS, PLAIN_HTTP, runCli } from './support/build-example.ts';

const run = promisify(execFile);
const { signal } = new AbortController();
let dir: string;
let cacheDir: string;

const ownCache = () => ({ XDG_CACHE_HOME: join(dir, 'cache') });

/** A cache of this test's own, with what takes long to make and is not what is tested: the toolbox, and the bases that there are. */
beforeAll(async () => {
  await run(join(PLAIN_HTTP, 'build'));
  expect((await runCli(['toolbox'])).exitCode).toBe(0);
  dir = await mkdtemp(join(tmpdir(), 'crac-cache-'));
  cacheDir = join(dir, 'cache/crac-build');
  await mkdir(cacheDir, { recursive: true });
  const common = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'crac-build');
  await symlink(join(common, 'toolbox'), join(cacheDir, 'toolbox'));
  for (const name of ['bases', 'blobs'])
    await cp(join(common, name), join(cacheDir, name), { recursive: true }).catch(() => undefined);
}, 120_000);
afterAll(() => rm(dir, { recursive: true, force: true }));

type Options = Parameters<typeof runCli>[1] & { readonly flags?: readonly string[]; readonly settings?: object };

async function runBuild(output: string, { flags = [], settings = {}, ...options }: Options = {}) {
  const config = join(dir, `${output}.yaml`);
  const given = {
    name: 'cached',
    app: {
      jar: join(PLAIN_HTTP, 'target/plain-http.jar'),
      javaOptions: ['-Xmx64m', '-XX:+UseSerialGC'],
      ports: [8080],
    },
    base: `jdk:${JDKS[17]}`,
    warmUp: { requests: [{ path: '/', count: 50 }] },
    checkpoint: { settle: '0s' },
    outputs: [`oci:${join(dir, output)}`],
  };
  await writeFile(config, stringify({ ...given, ...settings }));
  return await runCli(['build', '--config', config, '--engine', 'oci', '--json', ...flags], {
    usesCache: true,
    environment: ownCache(),
    ...options,
  });
}

async function build(output: string, options?: Options): Promise<BuildResult & { readonly stderr: string }> {
  const { exitCode, stdout, stderr } = await runBuild(output, options);
  if (exitCode !== 0) throw new Error(`${stderr}\n${stdout}`);
  expect(await validateLayout(join(dir, output))).toEqual([]);
  return { ...JSON.parse(stdout), stderr };
}

const digestOf = ({ layers }: BuildResult) => layers.find(({ kind }) => kind === 'checkpoint')?.digest ?? '';
const listKeys = async () =>
  (await readdir(join(cacheDir, 'checkpoints')).catch(() => [])).map((name) => name.replace('.json', ''));
const locate = (key: string | undefined) => join(cacheDir, 'checkpoints', `${key}.json`);
const prune = (maxSize: string) =>
  runCli(['cache', '--prune', '--max-size', maxSize, '--json'], { environment: ownCache() });

test('an interrupted build leaves nothing in the cache that could be taken for a checkpoint', async () => {
  let isSent = false;
  const { exitCode } = await runBuild('interrupted', {
    onProgress: (stderr, kill) => {
      if (isSent || !stderr.includes('"stage-started","stage":"verify"')) return;
      isSent = true;
      kill('SIGTERM');
    },
  });
  expect(exitCode).toBe(143);
  expect(await listKeys()).toEqual([]);
  const left = [...(await readdir(cacheDir)), ...(await readdir(join(cacheDir, 'blobs/sha256')))];
  expect(left.filter((name) => name.startsWith('.') || name === 'lock')).toEqual([]);
}, 120_000);

describe('a build with the inputs of an earlier one', () => {
  let first: BuildResult;
  beforeAll(async () => {
    first = await build('first');
  }, 120_000);

  test('takes its checkpoint, says so, and verifies it', async () => {
    expect(first.cached).toBe(false);
    const again = await build('again', {
      settings: { verify: { timeout: '29s' }, readiness: { path: '/', timeout: '59s' } },
    });
    expect(again.cached).toBe(true);
    expect(digestOf(again)).toBe(digestOf(first));
    expect(again.built.configDigest).toBe(first.built.configDigest);
    expect(again.warmth).toEqual(first.warmth);
    expect(again.restoreImage).toEqual(first.restoreImage);
    expect(again.state).toEqual(first.state);
    expect(again.verified?.restoredMs).toHaveLength(2);
    expect(again.stderr).toContain(
      '"stages-skipped","stages":["launch","warm-up","checkpoint","compile","pack","arrange"]',
    );
    expect(again.stderr).not.toContain('"stage-started","stage":"launch"');
    expect(await listKeys()).toHaveLength(1);
  }, 120_000);

  test('takes a new one where the cache’s is damaged, and keeps that', async () => {
    const blob = locateBlob(locateCachedBlobs(cacheDir), digestOf(first));
    const bytes = await readFile(blob);
    bytes[1000] = (bytes[1000] ?? 0) ^ 1;
    await rm(blob);
    await writeFile(blob, bytes);
    const made = await build('anew');
    expect(made.cached).toBe(false);
    expect(made.stderr).toContain(`its layer ${digestOf(first)} is damaged: a new one is taken`);
    expect(digestOf(made)).not.toBe(digestOf(first));
    const again = await build('again');
    expect([again.cached, digestOf(again)]).toEqual([true, digestOf(made)]);
  }, 120_000);

  test('takes a new one where the image with the cache’s does not restore', async () => {
    const [key = ''] = await listKeys();
    const record = await readRecord(locate(key));
    const blobDir = join(dir, 'broken');
    const entries = [
      ...['opt', 'opt/crac', 'opt/crac/checkpoint'].map((path) => composeDirectory(path)),
      composeFile('opt/crac/checkpoint/plan.bin', Buffer.from('no plan')),
    ];
    const layers = [await writeLayer(blobDir, 'checkpoint', entries)];
    if (record === undefined) throw new Error('no record');
    await writeRecord(cacheDir, { kind: 'checkpoints', key }, { ...record, layers }, blobDir, signal);
    const made = await build('anew');
    expect(made.cached).toBe(false);
    expect(made.stderr).toContain('the checkpoint of the cache is given up and a new one taken');
    expect((await readRecord(locate(key)))?.layers.at(-1)?.digest).toBe(digestOf(made));
  }, 120_000);
});

test('of two builds at once both are whole, and one of their checkpoints is kept', async () => {
  await rm(join(cacheDir, 'checkpoints'), { recursive: true });
  const built = await Promise.all(['one', 'two'].map((output) => build(output)));
  expect(built.map(({ cached }) => cached)).toEqual([false, false]);
  const again = await build('again');
  expect(again.cached).toBe(true);
  expect(built.map(digestOf)).toContain(digestOf(again));
  const { stdout } = await runCli(['cache', '--json'], { environment: ownCache() });
  const { entries, orphans } = JSON.parse(stdout);
  expect(orphans).toEqual([]);
  expect(entries.filter(({ kind }: { kind: string }) => kind === 'checkpoint')).toHaveLength(1);
}, 180_000);

test('two builds are whole while the cache is emptied again and again', async () => {
  let isOver = false;
  const pruning = (async () => {
    let removed = 0;
    for (; !isOver; await sleep(100)) {
      const { exitCode, stdout, stderr } = await prune('0MB');
      if (exitCode !== 0) throw new Error(stderr);
      removed += JSON.parse(stdout).entries.length;
    }
    return removed;
  })();
  await Promise.all(['one', 'two'].map((output) => build(output))).finally(() => {
    isOver = true;
  });
  expect(await pruning).toBeGreaterThan(0);
  await prune('0MB');
  const { entries, orphans, totalBytes } = JSON.parse(
    (await runCli(['cache', '--json'], { environment: ownCache() })).stdout,
  );
  expect([entries, orphans, totalBytes]).toEqual([[], [], 0]);
}, 240_000);
