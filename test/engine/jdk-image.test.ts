import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createGunzip } from 'node:zlib';
import { findModules } from '../../src/base/find-modules.ts';
import { writeRecord } from '../../src/cache/record.ts';
import { locateBlob, openBlob } from '../../src/oci/blob-store.ts';
import { openDockerArchive } from '../../src/oci/docker-archive.ts';
import type { OciImage } from '../../src/oci/image.ts';
import { writeLayer } from '../../src/oci/layer.ts';
import { composeDocuments } from '../../src/oci/manifest.ts';
import { validateLayout } from '../../src/oci/validate.ts';
import { writeLayout } from '../../src/oci/write-layout.ts';
import type { BuildPlan, JdkBase } from '../../src/plan/build-plan.ts';
import { planSource } from '../../src/plan/plan-source.ts';
import type { ReportEvent } from '../../src/report/event.ts';
import { containerize } from '../../src/stages/containerize.ts';
import { composeFile } from '../../src/tar/entry.ts';
import { readTar } from '../../src/tar/read-tar.ts';
import type { World } from '../../src/world.ts';
import { jarSource, samplePlan } from '../support/sample-plan.ts';
import { type OwnDockerd, startDockerd } from './own-dockerd.ts';

const run = promisify(execFile);

const JDKS = [
  [17, '/usr/lib/jvm/java-17-openjdk-amd64'],
  [25, '/usr/lib/jvm/temurin-25-jdk-amd64'],
] as const;
const USER = { uid: 10001, gid: 10002 };

let dir: string;
let dockerd: OwnDockerd;
const events: ReportEvent[] = [];

beforeAll(async () => {
  dir = await mkdtemp('/tmp/crac-build-base-test-');
  const javac = join(JDKS[0][1], 'bin/javac');
  execFileSync(javac, [
    '--release',
    '17',
    '-d',
    join(dir, 'classes'),
    join(import.meta.dirname, 'programs/AskBase.java'),
  ]);
  const jar = join(JDKS[0][1], 'bin/jar');
  execFileSync(jar, [
    '--create',
    '--file',
    join(dir, 'ask.jar'),
    '--main-class',
    'AskBase',
    '-C',
    join(dir, 'classes'),
    '.',
  ]);
  await mkdir(join(dir, 'native'));
  for (const name of ['restore', 'ctl', 'libcrac.so', 'crac.jar']) await writeFile(join(dir, 'native', name), name);
  dockerd = await startDockerd();
}, 120_000);

afterAll(async () => {
  await dockerd?.[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
}, 60_000);

function makePlan(javaVersion: number, path: string, modules: JdkBase['modules'] = 'auto'): BuildPlan {
  const argv = ['/opt/java/bin/java', '-Xshare:on', '-jar', '/app/ask.jar'];
  const sample = samplePlan();
  return {
    ...sample,
    name: 'ask',
    app: {
      ...sample.app,
      source: planSource(jarSource(join(dir, 'ask.jar')), 'ask', '/app').source,
      imagePath: '/app/ask.jar',
      environment: {},
      ports: [],
      user: USER,
      workingDir: '/app',
    },
    base: { kind: 'jdk', path, javaVersion, modules },
    command: { argv, jvmOptionIndex: 2 },
  };
}

async function makeWorld(cache: string): Promise<World> {
  const workDir = await mkdtemp(join(dir, 'work-'));
  const signal = new AbortController().signal;
  const report = (event: ReportEvent): void => void events.push(event);
  return { workDir, cacheDir: join(dir, cache), nativeDir: join(dir, 'native'), signal, report } as World;
}

/** What the program must find wherever the image runs. */
const FOUND = {
  manyAuthorities: 'true',
  tls: 'Default',
  ec: 'EC',
  bundle: 'true',
  zone: 'Etc/UTC',
  berlin: 'true',
  user: 'app /app',
  names: 'UTF-8',
  temporary: 'true',
  written: 'true',
  jar: 'false',
  address: '127.0.0.1',
  info: 'mixed mode, sharing',
};

function parseFound(out: string): Record<string, string> {
  return Object.fromEntries(
    out
      .trim()
      .split('\n')
      .map((line) => line.split(/=(.*)/s).slice(0, 2)),
  );
}

async function unpack(image: OciImage, root: string): Promise<void> {
  await mkdir(root);
  for (const { digest } of image.layers) {
    await run('tar', ['-xzpf', locateBlob(image.blobDir, digest), '--numeric-owner', '-C', root]);
  }
}

/** Everything that the base layer says of each path, in its order. */
async function readBase({ blobDir, layers }: OciImage): Promise<ReadonlyMap<string, string>> {
  const entries = new Map<string, string>();
  const tar = openBlob(blobDir, layers[0]?.digest ?? '').pipe(createGunzip());
  for await (const { header, content } of readTar(tar)) {
    const hash = createHash('sha256');
    for await (const chunk of content) hash.update(chunk);
    entries.set(header.path, JSON.stringify({ ...header, content: hash.digest('hex') }));
  }
  return entries;
}

/** A root of its own with /proc (the loader asks it where the JDK lies), as the app's user. */
async function runIn(root: string, argv: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const env = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const isolated = ['--fork', '--pid', '--mount', `--mount-proc=${root}/proc`];
  const user = `--userspec=${USER.uid}:${USER.gid}`;
  return await run('unshare', [...isolated, 'env', '-i', ...env, '/usr/sbin/chroot', user, root, ...argv]);
}

describe.each(JDKS)('the image of JDK %i', (javaVersion, jdk) => {
  let image: OciImage;
  let layout: string;

  beforeAll(async () => {
    image = await containerize(makePlan(javaVersion, jdk), await makeWorld('cache'));
    layout = join(dir, `layout-${javaVersion}`);
    await writeLayout(image, layout, 'latest');
  }, 120_000);

  test('is a valid layout that skopeo copies and inspects', async () => {
    expect(await validateLayout(layout)).toEqual([]);
    await run('skopeo', [
      'copy',
      '--insecure-policy',
      `oci:${layout}:latest`,
      `dir:${join(dir, `copy-${javaVersion}`)}`,
    ]);
    const { stdout } = await run('skopeo', ['inspect', '--config', `oci:${layout}:latest`]);
    expect(JSON.parse(stdout)).toEqual(JSON.parse(composeDocuments(image).config.toString()));
  }, 60_000);

  test('runs under Docker as the app', async () => {
    const archive = join(dir, `archive-${javaVersion}.tar`);
    await pipeline(openDockerArchive(image, `ask:${javaVersion}`), createWriteStream(archive));
    const env = { ...process.env, DOCKER_HOST: dockerd.host };
    const { stdout: told } = await run('docker', ['load', '-i', archive], { env });
    expect(told).toContain(`Loaded image: ask:${javaVersion}`);
    const { stdout: id } = await run('docker', ['image', 'inspect', '-f', '{{.Id}}', `ask:${javaVersion}`], { env });
    expect(id.trim()).toBe(composeDocuments(image).configDigest);
    const argv = makePlan(javaVersion, jdk).command.argv;
    const options = [
      '--rm',
      '--network',
      'none',
      '--entrypoint',
      argv[0] ?? '',
      `ask:${javaVersion}`,
      ...argv.slice(1),
    ];
    const { stdout } = await run('docker', ['run', ...options], { env });
    expect(parseFound(stdout)).toEqual(FOUND);
  }, 60_000);

  test('runs from its unpacked layers, with its default CDS archive', async () => {
    const root = join(dir, `root-${javaVersion}`);
    await unpack(image, root);
    // Java makes its own randomness without them, which takes seconds.
    execFileSync('mknod', ['-m', '666', join(root, 'dev/random'), 'c', '1', '8']);
    execFileSync('mknod', ['-m', '666', join(root, 'dev/urandom'), 'c', '1', '9']);
    const { stdout } = await runIn(root, makePlan(javaVersion, jdk).command.argv, image.config.environment);
    expect(parseFound(stdout)).toEqual(FOUND);
  }, 60_000);

  test('is small, and the same again from the cache', async () => {
    const [base] = image.layers;
    expect(base?.uncompressedBytes).toBeLessThan(100 * 1024 * 1024);
    const linkings = () => events.filter((event) => event.type === 'stage-progress').length;
    const before = linkings();
    expect((await containerize(makePlan(javaVersion, jdk), await makeWorld('cache'))).layers).toEqual(image.layers);
    expect(linkings()).toBe(before);
  }, 60_000);

  test('a damaged cache is made again', async () => {
    await rm(locateBlob(join(dir, 'cache/blobs'), image.layers[0]?.digest ?? ''));
    const again = await containerize(makePlan(javaVersion, jdk), await makeWorld('cache'));
    // JDK 17's CDS archive differs each time; all else, and all of JDK 25, is the same from nothing.
    if (javaVersion !== 17) return expect(again.layers).toEqual(image.layers);
    expect(again.layers.slice(1)).toEqual(image.layers.slice(1));
    const [before, after] = [await readBase(image), await readBase(again)];
    expect([...after.keys()]).toEqual([...before.keys()]);
    const changed = [...after].filter(([path, facts]) => before.get(path) !== facts).map(([path]) => path);
    expect(changed.filter((path) => path !== 'opt/java/lib/server/classes.jsa')).toEqual([]);
  }, 120_000);
});

describe('modules', () => {
  const signal = new AbortController().signal;
  const request = { jdk: JDKS[0][1], javaVersion: 17, available: [], nested: false };
  const makeJar = (name: string, options: readonly string[]): string => {
    const path = join(dir, name);
    execFileSync(join(JDKS[0][1], 'bin/jar'), ['--create', '--file', path, ...options]);
    return path;
  };

  beforeAll(async () => {
    await mkdir(join(dir, 'library'));
    await writeFile(join(dir, 'library/Library.java'), 'public class Library { java.sql.Connection c; }');
    await mkdir(join(dir, 'nested/BOOT-INF/lib'), { recursive: true });
    const options = ['--release', '17', '-d', join(dir, 'library/classes'), join(dir, 'library/Library.java')];
    execFileSync(join(JDKS[0][1], 'bin/javac'), options);
    makeJar('nested/BOOT-INF/lib/library.jar', ['-C', join(dir, 'library/classes'), '.']);
    execFileSync('cp', ['-r', join(dir, 'classes'), join(dir, 'nested/BOOT-INF/classes')]);
  });

  test('are those of the jar', async () => {
    const { modules, warning } = await findModules({ ...request, jars: [join(dir, 'ask.jar')], workDir: dir }, signal);
    expect(warning).toBeUndefined();
    expect(modules).toContain('java.base');
    expect(modules).not.toContain('java.sql');
  });

  test('are those of the jars beside it, too', async () => {
    const jars = [join(dir, 'ask.jar'), join(dir, 'nested/BOOT-INF/lib/library.jar')];
    expect((await findModules({ ...request, jars, workDir: dir }, signal)).modules).toContain('java.sql');
  });

  test('are those of the jars inside it, too', async () => {
    const jars = [
      makeJar('nested.jar', ['--main-class', 'x.Launcher', '--no-compress', '-C', join(dir, 'nested'), '.']),
    ];
    const workDir = join(dir, 'unpacked');
    expect((await findModules({ ...request, jars, nested: true, workDir }, signal)).modules).toContain('java.sql');
  });

  test('are all of Java SE, with a warning, where jdeps cannot read a class', async () => {
    await mkdir(join(dir, 'broken'));
    await writeFile(join(dir, 'broken/Broken.class'), 'no class');
    const jars = [makeJar('broken.jar', ['-C', join(dir, 'broken'), '.'])];
    const { modules, warning } = await findModules({ ...request, jars, workDir: dir }, signal);
    expect(modules).toContain('java.se');
    expect(warning).toContain('could not be found');
  });
});

test('named modules are taken as they are', async () => {
  const image = await containerize(makePlan(17, JDKS[0][1], ['java.base', 'java.xml']), await makeWorld('cache'));
  const root = join(dir, 'root-modules');
  await unpack(image, root);
  const { stdout } = await runIn(root, ['/opt/java/bin/java', '--list-modules']);
  expect(stdout.replaceAll(/@.*/g, '').trim().split('\n')).toEqual(['java.base', 'java.xml']);
}, 120_000);

test('a module that does not exist is told by the words of jlink', async () => {
  const plan = makePlan(17, JDKS[0][1], ['java.base', 'no.such.module']);
  await expect(containerize(plan, await makeWorld('cache'))).rejects.toMatchObject({
    code: 'JDK_TOOL_FAILED',
    message: expect.stringContaining('no.such.module'),
  });
}, 60_000);

test('an interrupted build leaves nothing in the cache or beside it', async () => {
  const abort = new AbortController();
  const world = await makeWorld('cache-interrupted');
  const report = (event: ReportEvent): void => {
    if (event.type === 'stage-progress') setTimeout(() => abort.abort(), 1000);
  };
  const building = containerize(makePlan(17, JDKS[0][1]), { ...world, report, signal: abort.signal });
  await expect(building).rejects.toMatchObject({ name: 'AbortError' });
  expect(await readdir(world.workDir)).toEqual([]);
  // What jdeps found is whole.
  expect(await readdir(world.cacheDir).catch(() => [])).toEqual(['modules']);
}, 60_000);

describe('on a full disk', () => {
  let disk: string;
  beforeAll(async () => {
    disk = join(dir, 'disk');
    await mkdir(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk]);
  });
  afterAll(() => {
    execFileSync('umount', [disk]);
  });

  test('a layer that does not fit is NO_SPACE and leaves nothing', async () => {
    const noise = execFileSync('head', ['-c', '4000000', '/dev/urandom'], { maxBuffer: 8 << 20 });
    await expect(writeLayer(join(disk, 'blobs'), 'app', [composeFile('noise', noise)])).rejects.toMatchObject({
      code: 'NO_SPACE',
    });
    expect(await readdir(join(disk, 'blobs/sha256'))).toEqual([]);
  });

  test('a layout that does not fit is NO_SPACE and leaves nothing', async () => {
    const noise = execFileSync('head', ['-c', '4000000', '/dev/urandom'], { maxBuffer: 8 << 20 });
    const blobDir = join(dir, 'big');
    const layer = await writeLayer(blobDir, 'app', [composeFile('noise', noise)]);
    const config = { environment: {}, entrypoint: [], command: [], ports: [], labels: {} };
    const image = { blobDir, layers: [layer], config } as unknown as OciImage;
    await rm(join(disk, 'blobs'), { recursive: true, force: true });
    await expect(writeLayout(image, join(disk, 'out'), 'latest')).rejects.toMatchObject({ code: 'NO_SPACE' });
    expect(await readdir(disk)).toEqual([]);
  });

  test('a checkpoint that the cache has no room for is NO_SPACE and leaves nothing there', async () => {
    const noise = execFileSync('head', ['-c', '4000000', '/dev/urandom'], { maxBuffer: 8 << 20 });
    const blobDir = join(dir, 'large');
    const layers = [await writeLayer(blobDir, 'checkpoint', [composeFile('noise', noise)])];
    const record = { name: 'large', madeAtMs: 1, layers, facts: {} };
    const cache = join(disk, 'cache');
    const kept = writeRecord(cache, { kind: 'checkpoints', key: 'k' }, record, blobDir, new AbortController().signal);
    await expect(kept).rejects.toMatchObject({ code: 'NO_SPACE', hint: expect.stringContaining('XDG_CACHE_HOME') });
    expect(await readdir(cache)).toEqual(['blobs']);
    expect(await readdir(join(cache, 'blobs/sha256'))).toEqual([]);
    await rm(cache, { recursive: true });
  });

  test('a base that does not fit is NO_SPACE and leaves nothing', async () => {
    const world = { ...(await makeWorld('cache-full')), workDir: join(disk, 'work') };
    await expect(containerize(makePlan(17, JDKS[0][1], ['java.base']), world)).rejects.toMatchObject({
      code: 'NO_SPACE',
    });
    expect(await readdir(world.workDir)).toEqual([]);
  }, 60_000);
});
