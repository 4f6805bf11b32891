import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openToolbox } from '../../src/criu/toolbox.ts';
import { connectDocker } from '../../src/engine/docker.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { connectOciRuntime } from '../../src/engine/oci-runtime.ts';
import type { BuildPlan } from '../../src/plan/build-plan.ts';
import { planBuild } from '../../src/plan/plan-build.ts';
import { takeCheckpoint } from '../../src/stages/checkpoint.ts';
import { containerize } from '../../src/stages/containerize.ts';
import { launchApp, type RunningApp } from '../../src/stages/launch.ts';
import type { Toolbox, World } from '../../src/world.ts';
import { type OwnDockerd, startDockerd } from './own-dockerd.ts';

const signal = new AbortController().signal;
const JDK = '/usr/lib/jvm/java-17-openjdk-amd64';

let dir: string;
let cacheDir: string;
let nativeDir: string;
let jar: string;
let toolbox: Toolbox;
let dockerd: OwnDockerd | undefined;

beforeAll(async () => {
  dir = await mkdtemp('/tmp/crac-build-checkpoint-test-');
  cacheDir = join(dir, 'cache');
  nativeDir = join(dir, 'native');
  execFileSync('make', ['-s', '-C', 'native', `OUT=${nativeDir}`]);
  jar = join(dir, 'subject.jar');
  const classes = join(dir, 'classes');
  mkdirSync(classes);
  execFileSync(join(JDK, 'bin/javac'), ['-d', classes, join(import.meta.dirname, 'CheckpointSubject.java')]);
  execFileSync(join(JDK, 'bin/jar'), [
    '--create',
    '--file',
    jar,
    '--main-class',
    'CheckpointSubject',
    '-C',
    classes,
    '.',
  ]);
  toolbox = await openToolbox({ cacheDir, signal });
}, 120_000);

afterAll(async () => {
  await dockerd?.[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
}, 60_000);

function planFor(uid: number): BuildPlan {
  const settings = { app: { javaOptions: ['-Xmx64m', '-XX:+UseSerialGC'], ports: [8080], user: { uid, gid: uid } } };
  const facts = { jar: { path: jar }, jdk: { path: JDK, javaVersion: 17, hotSpot: true } };
  const plan = planBuild(settings, facts);
  return { ...plan, checkpoint: { ...plan.checkpoint, settleMs: 100, timeoutMs: 60_000 } };
}

async function openWorld(engine: Engine): Promise<World> {
  const workDir = await mkdtemp(join(dir, 'work-'));
  return { engine, report: () => undefined, signal, environment: {}, workDir, cacheDir, nativeDir, toolbox };
}

describe.each(['crun', 'runc', 'docker'] as const)('with %s', (kind) => {
  let engine: Engine;
  beforeAll(async () => {
    if (kind === 'docker') {
      dockerd = await startDockerd();
      engine = await connectDocker({ DOCKER_HOST: dockerd.host }, signal);
    } else {
      engine = await connectOciRuntime({ cacheDir, nativeDir, signal, runtimes: [kind] });
    }
  }, 120_000);

  test.each([1000, 0])(
    'a JVM of user %d is dumped, its state and files are copied out',
    async (uid) => {
      const world = await openWorld(engine);
      const plan = planFor(uid);
      await using app = await launchApp(plan, await containerize(plan, world), world);
      const checkpoint = await takeCheckpoint(plan, app, world);

      const images = readdirSync(checkpoint.imagesDir);
      expect(images).toEqual(
        expect.arrayContaining([
          'core-1.img',
          'files.img',
          'inventory.img',
          'mm-1.img',
          'pages-1.img',
          'timens-0.img',
          'descriptors.txt',
        ]),
      );
      expect(statSync(join(checkpoint.imagesDir, 'pages-1.img')).size).toBeGreaterThan(1 << 20);
      expect(readFileSync(join(checkpoint.imagesDir, 'dump.log'), 'utf8')).toContain('Dumping finished successfully');
      expect(checkpoint.ready).toMatchObject({ pid: 1, gc: 'Serial', javaVersion: expect.stringMatching(/^17/) });
      expect(checkpoint.ready.steps.find(({ name }) => name === 'arenas')?.ms).toBeGreaterThanOrEqual(90); // the plan's 100 ms
      expect(checkpoint.cpu.find(({ leaf }) => leaf === 7)).toBeDefined();

      const inJar = await checkpoint.rootFile(plan.app.imagePath);
      expect(readFileSync(inJar?.localPath ?? '')).toEqual(readFileSync(jar));
      expect(await checkpoint.rootFile(plan.app.imagePath)).toBe(inJar);
      expect(await checkpoint.rootFile('/tmp/made/many/link')).toMatchObject({ sizeBytes: 'content 1'.length });
      expect(await checkpoint.rootFile('/no/such/file')).toBeUndefined();

      const listed = execFileSync('tar', ['--numeric-owner', '-tvf', checkpoint.stateTar], {
        encoding: 'utf8',
        env: { TZ: 'UTC' },
      });
      const lines = listed.trim().split('\n');
      const names = lines.map((line) => line.split(/\s+/)[5]);
      expect(names.filter((name) => /crac|etc|proc|dev/.test(name ?? ''))).toEqual([]);
      expect(names).toEqual(expect.arrayContaining(['tmp/', 'tmp/made/', 'tmp/made/many/', 'tmp/made/many/file29']));
      expect(lines.find((line) => line.endsWith('file0'))).toMatch(new RegExp(` ${uid}/${uid} +9 2017-07-14 02:40 `));
      expect(lines.find((line) => line.includes('link'))).toContain('link -> file1');
      expect(lines.find((line) => line.endsWith('second'))).toMatch(/^-/);
      expect(lines[0]).toMatch(/^drwxrwxrwt 0\/0 .* tmp\/$/);
      expect(names).toHaveLength(3 + 30 + 2);
    },
    120_000,
  );

  test('a dump that fails is explained, and the app goes on', async () => {
    const world = await openWorld(engine);
    const plan = planFor(1000);
    await using app = await launchApp(plan, await containerize(plan, world), world);
    const pid = findProcess(`/proc/self/ns/pid`);
    const tracer = spawn('strace', ['-q', '-o', '/dev/null', '-p', String(pid)], { stdio: 'ignore' });
    try {
      for (let i = 0; !/TracerPid:\t[1-9]/.test(readFileSync(`/proc/${pid}/status`, 'utf8')); i++) {
        if (i === 100) throw new Error('strace does not attach');
        await sleep(50);
      }
      await expect(takeCheckpoint(plan, app, world)).rejects.toMatchObject({
        code: 'CHECKPOINT_FAILED',
        message: expect.stringContaining('ptrace is not permitted'),
        hint: expect.stringContaining('SYS_PTRACE'),
        details: expect.arrayContaining([expect.stringMatching(/Error \(/)]),
      });
      // The app opens its control channel again when it has been told.
      for (let i = 0; (await askState(app)) !== 'running'; i++) {
        if (i === 100) throw new Error('the app does not go on');
        await sleep(50);
      }
      const { host, port } = await app.container.endpoint(8080);
      expect((await fetch(`http://${host}:${port}/`, { headers: { connection: 'close' } })).status).toBe(200);
    } finally {
      tracer.kill();
    }
  }, 120_000);

  test('without its capabilities CRIU is refused before the app is asked', async () => {
    const world = await openWorld(engine);
    const plan = planFor(1000);
    const bare: Engine = {
      ...engine,
      launchContainer: (spec, abort) => engine.launchContainer({ ...spec, capabilities: ['SETUID', 'SETGID'] }, abort),
    };
    await using app = await launchApp(plan, await containerize(plan, world), { ...world, engine: bare });
    await expect(takeCheckpoint(plan, app, world)).rejects.toMatchObject({
      code: 'CRIU_UNSUITABLE',
      message: expect.stringContaining('CAP_CHECKPOINT_RESTORE'),
    });
    expect(await askState(app)).toBe('running');
  }, 120_000);

  async function askState({ container }: RunningApp): Promise<unknown> {
    const { stdout } = await container.exec(['/opt/crac/ctl', 'status'], { user: '1000:1000', signal });
    return (JSON.parse(stdout) as { readonly state?: string }).state;
  }

  /** The JVM of the test's container, as this machine counts. */
  function findProcess(ownNamespace: string): number {
    const own = statSync(ownNamespace).ino;
    for (const name of readdirSync('/proc')) {
      if (!/^\d+$/.test(name) || !existsSync(`/proc/${name}/ns/pid`)) continue;
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8');
      if (command.includes('/app/subject.jar') && statSync(`/proc/${name}/ns/pid`).ino !== own) return Number(name);
    }
    throw new Error('the JVM was not found');
  }
});
