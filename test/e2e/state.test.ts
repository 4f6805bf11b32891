/** What of the files that an app writes before its checkpoint is in the image. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { locateBlob } from '../../src/oci/blob-store.ts';
import { JDKS, runCli } from './support/build-example.ts';
import { waitUntilAnswered } from './support/start-image.ts';
import { startInCrun } from './support/start-in-crun.ts';

const run = promisify(execFile);
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'crac-state-'));
  const classes = join(dir, 'classes');
  const source = join(import.meta.dirname, 'support/Writing.java');
  await run(join(JDKS[17], 'bin/javac'), ['--release', '17', '-d', classes, source]);
  const jar = ['--create', '--file', join(dir, 'writing.jar'), '--main-class', 'Writing', '-C', classes, '.'];
  await run(join(JDKS[17], 'bin/jar'), jar);
}, 60_000);
afterAll(() => rm(dir, { recursive: true, force: true }));

async function build(output: string, checkpoint: object, ...javaOptions: readonly string[]) {
  const config = join(dir, 'crac-build.yaml');
  const options = ['-Xmx64m', '-XX:+UseSerialGC', '-Djava.io.tmpdir=/app/tmp', ...javaOptions];
  const settings = {
    app: { jar: 'writing.jar', javaOptions: options, ports: [8080] },
    ...{ base: `jdk:${JDKS[17]}`, engine: 'oci', outputs: [`oci:${join(dir, output)}`] },
    warmUp: { requests: [{ path: '/held', contains: 'xx', count: 20 }] },
    checkpoint: { settle: '0ms', ...checkpoint },
  };
  await writeFile(config, stringify(settings));
  return await runCli(['build', '--config', config, '--report', join(dir, 'report.html')]);
}

async function listLayer(output: string, digest: string): Promise<readonly string[]> {
  const { stdout } = await run('tar', ['-tzf', locateBlob(join(dir, output, 'blobs'), digest)]);
  return stdout
    .trim()
    .split('\n')
    .map((name) => name.replace(/\/$/, ''));
}

test('an app’s own files, what it holds and what lies beside that stay; temporary files, caches and the JVM’s own do not', async () => {
  const { exitCode, stdout, stderr } = await build('image', { keep: ['/app/tmp/kept'] });
  if (exitCode !== 0) throw new Error(stderr);
  expect(stdout).toContain('files that the app wrote: 6 files, 410 B');
  expect(stdout).toContain('left out: 5 files, 140 B');
  const index = JSON.parse(await readFile(join(dir, 'image/index.json'), 'utf8'));
  const manifest = JSON.parse(await readFile(locateBlob(join(dir, 'image/blobs'), index.manifests[0].digest), 'utf8'));
  const names = await listLayer('image', manifest.layers.at(-2).digest);
  expect(names.toSorted()).toEqual([
    ...['app', 'app/.cache', 'app/.cache/thumbnails', 'app/data', 'app/data/own'],
    ...['app/tmp', 'app/tmp/kept', 'app/tmp/kept/certificate', 'app/tmp/mapped', 'app/tmp/store'],
    ...['app/tmp/store/beside', 'app/tmp/store/segment', 'app/tmp/tomcat.8080.1', 'app/tmp/tomcat.8080.1/work'],
    ...['app/tmp/tomcat.8080.1/work/page.class', 'app/tmp/uploads'],
  ]);
  const page = await readFile(join(dir, 'report.html'), 'utf8');
  expect(page).toContain('<td>/app/tmp/store/beside</td>');
  expect(page).toContain('<td>/tmp/upload.tmp</td><td>40 B</td><td>temporary, and not held by the app</td>');

  await using image = await startInCrun(join(dir, 'image'), { environment: { CRAC_RESTORE: 'require' } });
  expect(await waitUntilAnswered(() => image.get('/held'))).toContain('xx');
  for (const path of ['/app/data/own', '/app/tmp/uploads', '/app/tmp/kept/certificate'])
    expect(await image.get(path)).toContain('true');
  for (const path of ['/app/tmp/scratch.tmp', '/app/.cache/thumbnails/1', '/app/.attach_pid99'])
    expect(await image.get(path)).toContain('false');
}, 120_000);

test('more than checkpoint.maxState ends the build with the largest files', async () => {
  const { exitCode, stderr } = await build('large', { maxState: '1MB' }, '-Dbytes=5000000');
  expect(exitCode).toBe(1);
  expect(stderr).toContain('error: the app has written 5.0 MB in');
  expect(stderr).toMatch(/\| +5\.0 MB {2}\/app\/data\/own/);
  expect(stderr).toContain('checkpoint.leaveOut');
}, 120_000);
