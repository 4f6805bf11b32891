import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectEngine } from '../../src/engine/connect.ts';
import { connectDocker } from '../../src/engine/docker.ts';
import type { Container, ContainerSpec, Engine, LoadedImage } from '../../src/engine/engine.ts';
import { connectOciRuntime } from '../../src/engine/oci-runtime.ts';
import { composeDirectory, composeFile, composeSymlink } from '../../src/tar/entry.ts';
import { readTar } from '../../src/tar/read-tar.ts';
import { openTar } from '../../src/tar/write-tar.ts';
import { type ImageFixture, makeFixtureImage } from './image-fixture.ts';
import { type OwnDockerd, startDockerd } from './own-dockerd.ts';

const signal = new AbortController().signal;
const REFERENCE = 'crac-build-contract:test';

const plain: ContainerSpec = {
  image: REFERENCE,
  name: 'crac-build-contract',
  environment: {},
  capabilities: [],
  seccomp: 'default',
  noNewPrivileges: true,
  readOnlyRoot: false,
  tmpfs: [],
  ports: [8080],
  network: 'isolated',
};

let workDir: string;
let fixture: ImageFixture;
let dockerd: OwnDockerd | undefined;

beforeAll(async () => {
  workDir = await mkdtemp('/tmp/crac-build-engine-test-');
  execFileSync('make', [
    '-s',
    '-C',
    'native',
    `OUT=${workDir}/native`,
    ...TOOLS.map((name) => `${workDir}/native/${name}`),
  ]);
  fixture = await makeFixtureImage();
}, 60_000);

afterAll(async () => {
  await dockerd?.[Symbol.asyncDispose]();
  await fixture?.[Symbol.asyncDispose]();
  await rm(workDir, { recursive: true, force: true });
}, 60_000);

const TOOLS = ['launch', 'forward', 'capture', 'netns', 'whiteouts'];

describe.each(['docker', 'crun', 'runc'] as const)('%s keeps the contract', (kind) => {
  let engine: Engine;
  let loaded: LoadedImage;

  beforeAll(async () => {
    if (kind === 'docker') {
      dockerd = await startDockerd();
      engine = await connectDocker({ DOCKER_HOST: dockerd.host }, signal);
    } else {
      const cacheDir = join(workDir, kind);
      engine = await connectOciRuntime({ cacheDir, nativeDir: join(workDir, 'native'), signal, runtimes: [kind] });
    }
    loaded = await engine.loadImage(fixture.image, REFERENCE, signal);
  }, 120_000);

  afterAll(async () => {
    await loaded?.[Symbol.asyncDispose]();
    await loaded?.[Symbol.asyncDispose]();
    await expect(engine.launchContainer(plain, signal)).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
    expect(await leftovers()).toEqual([]);
  }, 60_000);

  /** What containers leave when they are not removed whole. */
  async function leftovers(): Promise<readonly string[]> {
    const mounts = (await readFile('/proc/mounts', 'utf8')).split('\n').filter((line) => line.includes(workDir));
    const processes = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
      .split('\n')
      .filter((line) => line.includes(`${workDir}/`) && !line.includes('dockerd'));
    const list = (...words: readonly string[]) =>
      execFileSync('docker', ['-H', dockerd?.host ?? '', ...words], { encoding: 'utf8' })
        .split('\n')
        .filter(Boolean);
    const folders =
      kind === 'docker'
        ? [...list('ps', '-aq'), ...list('network', 'ls', '-q', '--filter', 'type=custom')]
        : [
            ...(await readdir(join(workDir, kind, 'oci-engine', 'containers')).catch(() => [])),
            ...(await readdir(join(workDir, kind, 'oci-engine', `state-${kind}`)).catch(() => [])),
          ];
    return [...mounts, ...processes, ...folders];
  }

  async function launch(changes: Partial<ContainerSpec> = {}): Promise<Container> {
    const container = await engine.launchContainer({ ...plain, ...changes }, signal);
    if (changes.command === undefined) {
      for (let attempt = 0; !(await container.lastLines(50)).includes('ready'); attempt++) {
        if (attempt === 200) throw new Error(`not ready: ${await container.lastLines(20)}`);
        await sleep(25);
      }
    }
    return container;
  }

  async function execOut(container: Container, argv: readonly string[], user?: string): Promise<string> {
    const result = await container.exec(argv, { signal, ...(user !== undefined && { user }) });
    expect(result).toMatchObject({ exitCode: 0 });
    return result.stdout;
  }

  test('an app answers through its endpoint, its log is kept, only descriptors 0 to 2 are open', async () => {
    await using container = await launch();
    for (let i = 0; i < 3; i++) expect(await ask(await container.endpoint(8080))).toBe('hello\n');
    const lines = await container.lastLines(50);
    expect(lines).toContain('warning on stderr');
    expect(await container.lastLines(1)).toHaveLength(1);
    const descriptors = lines.filter((line) => line.startsWith('fd '));
    expect(descriptors.map((line) => line.replace(/\d+\]$/, ']'))).toEqual([
      expect.stringMatching(/^fd 0 (\/dev\/null|pipe:)/),
      'fd 1 pipe:[]',
      'fd 2 pipe:[]',
    ]);
    await container[Symbol.asyncDispose]();
    expect(await leftovers()).toEqual([]);
  }, 30_000);

  test('user, environment, capabilities and restrictions are those of the spec', async () => {
    await using container = await launch({
      command: ['facts'],
      environment: { OVERRIDDEN: 'spec', ADDED: 'a b=c' },
      readOnlyRoot: true,
      tmpfs: ['/scratch'],
    });
    expect(await container.exited).toEqual({ exitCode: 0 });
    const facts = await container.lastLines(100);
    expect(facts).toEqual(
      expect.arrayContaining([
        'uid 1000 gid 1000 pid 1 cwd /data',
        'env FROM_IMAGE=image',
        'env OVERRIDDEN=spec',
        'env ADDED=a b=c',
        'env HOME=/home/app',
        'read-only 1',
        'tmpfs yes',
        'CapBnd:\t0000000000000000',
        'CapEff:\t0000000000000000',
        'NoNewPrivs:\t1',
        kind === 'docker' ? 'Seccomp:\t2' : 'Seccomp:\t0',
      ]),
    );
  }, 30_000);

  test('exec runs as root with the capabilities, or as another user without', async () => {
    await using container = await launch({
      capabilities: ['CHECKPOINT_RESTORE', 'SYS_PTRACE', 'SETUID', 'SETGID'],
      seccomp: 'unconfined',
      noNewPrivileges: false,
      memoryBytes: 256 << 20,
      pidsLimit: 64,
      cpus: 1,
    });
    const facts = (await execOut(container, ['/bin/subject', 'facts'])).split('\n');
    expect(facts[0]).toBeDefined();
    expect(facts).toContain('Seccomp:\t0');
    expect(facts.find((line) => line.startsWith('uid'))).toMatch(/^uid 0 gid 0 pid [^1]/);
    // CHECKPOINT_RESTORE is bit 40; Docker 20.10 does not know it and gets SYS_ADMIN, bit 21.
    const expected = kind === 'docker' ? 'CapEff:\t00000000002800c0' : 'CapEff:\t00000100000800c0';
    expect(facts).toContain(expected);
    const asApp = (await execOut(container, ['/bin/subject', 'facts'], '1000:1000')).split('\n');
    expect(asApp).toContain('CapEff:\t0000000000000000');
    expect(asApp).toContain('env FROM_IMAGE=image');
    const withVariable = await container.exec(['/bin/subject', 'facts'], { environment: { X: 'y' }, signal });
    expect(withVariable.stdout).toContain('env X=y\n');
  }, 30_000);

  test('exec keeps both outputs apart, whole, and tells the exit code', async () => {
    await using container = await launch();
    const large = await container.exec(['/bin/subject', 'print', '3000000'], { signal });
    expect([large.exitCode, large.stdout.length, large.stderr]).toEqual([0, 3_000_000, 'done\n']);
    const failed = await container.exec(['/bin/subject', 'exit', '7'], { signal });
    expect(failed).toEqual({ exitCode: 7, stdout: '', stderr: 'leaving\n' });
    await expect(container.exec(['/bin/nothing'], { signal })).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
  }, 30_000);

  test('an interrupted exec ends at once', async () => {
    await using container = await launch();
    const controller = new AbortController();
    const running = container.exec(['/bin/subject', 'sleep'], { signal: controller.signal });
    setTimeout(() => controller.abort(), 300);
    await expect(running).rejects.toMatchObject({ code: 'INTERRUPTED' });
    await expect(container.exec(['/bin/subject', 'facts'], { signal: controller.signal })).rejects.toMatchObject({
      code: 'INTERRUPTED',
    });
  }, 30_000);

  test('layers are stacked: changed and removed files are so', async () => {
    await using container = await launch();
    expect(await readOut(container, '/data/replaced')).toBe('new');
    expect(await readOut(container, '/data/kept')).toBe('kept');
    expect(await container.copyOut('/data/hidden', signal)).toBeUndefined();
  }, 30_000);

  test('layers compressed with zstd are stacked, too, or refused by name', async () => {
    await using zstd = await makeFixtureImage({}, 'zstd');
    const reference = 'crac-build-contract:zstd';
    if (kind === 'docker') {
      await expect(engine.loadImage(zstd.image, reference, signal)).rejects.toMatchObject({
        code: 'ENGINE_UNAVAILABLE',
        message: expect.stringMatching(/^Docker 20\.10\.\S+ at .* cannot read layers compressed with zstd/),
      });
      return;
    }
    await using image = await engine.loadImage(zstd.image, reference, signal);
    await using container = await launch({ image: image.reference });
    expect(await readOut(container, '/data/replaced')).toBe('new');
    expect(await container.copyOut('/data/hidden', signal)).toBeUndefined();
  }, 30_000);

  test('copyIn keeps owner, mode and time, and never leaves the root; copyOut gives it back', async () => {
    await using container = await launch();
    const owner = { uid: 1234, gid: 4321, mtimeSeconds: 1_234_567_890 };
    const entries = [
      composeDirectory('given', 0o750, owner),
      composeFile('given/file', Buffer.alloc(200_000, 'z'), 0o4755, owner),
      composeSymlink('given/link', 'file', owner),
    ];
    await container.copyIn(openTar(entries), '/data', signal);
    const seen = [];
    for await (const { header, content } of readTar(await copyOut(container, '/data/given'))) {
      let sizeBytes = 0;
      for await (const chunk of content) sizeBytes += chunk.length;
      const { path, type, mode, uid, gid, mtimeSeconds, target } = header;
      seen.push({ path, type, mode: type === 'symlink' ? 0 : mode, uid, gid, mtimeSeconds, target, sizeBytes });
    }
    const facts = { ...owner, target: undefined };
    expect(seen).toEqual([
      { ...facts, path: 'given', type: 'directory', mode: 0o750, sizeBytes: 0 },
      { ...facts, path: 'given/file', type: 'file', mode: 0o4755, sizeBytes: 200_000 },
      { ...facts, path: 'given/link', type: 'symlink', mode: 0, target: 'file', sizeBytes: 0 },
    ]);
    if (container.locateFile !== undefined) {
      const local = await container.locateFile('/data/given/link');
      expect(local === undefined ? undefined : await readFile(local, 'utf8')).toBe('z'.repeat(200_000));
      for (const none of ['/data/given', '/nowhere', '/escape'])
        expect(await container.locateFile(none)).toBeUndefined();
    }
    for (const link of ['/escape', '/climb']) {
      const name = `crac-build-escaped-${link.slice(1)}`;
      await container.copyIn(openTar([composeFile(name, Buffer.from('x'))]), link, signal);
      expect(await readOut(container, `/etc/${name}`)).toBe('x');
      await expect(readFile(`/etc/${name}`)).rejects.toMatchObject({ code: 'ENOENT' });
    }
    const missing = container.copyIn(openTar([composeFile('x', Buffer.from('x'))]), '/nowhere', signal);
    await expect(missing).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
    expect(await container.copyOut('/nowhere', signal)).toBeUndefined();
  }, 30_000);

  test('listChanges names what was added, changed and removed, and nothing else', async () => {
    await using container = await launch();
    expect(await container.listChanges(signal)).toEqual({ changed: [], removed: [] });
    const steps = [
      'write /data/kept changed',
      'mkdir /data/made',
      'write /data/made/file new',
      'remove /data/replaced',
    ];
    steps.push('remove /data/folder/inside', 'remove /data/folder', 'mkdir /data/folder');
    for (const step of steps) await execOut(container, ['/bin/subject', ...step.split(' ')], '1000:1000');
    const { changed, removed } = await container.listChanges(signal);
    expect([...changed].sort()).toEqual(['/data', '/data/folder', '/data/kept', '/data/made', '/data/made/file']);
    expect([...removed].sort()).toEqual(['/data/folder/inside', '/data/replaced']);
  }, 30_000);

  test('signals reach the main process; the exit code is told', async () => {
    await using container = await launch();
    await container.kill('SIGSTOP');
    await container.kill('SIGCONT');
    expect(await ask(await container.endpoint(8080))).toBe('hello\n');
    await container.kill('SIGTERM');
    expect(await container.exited).toEqual({ exitCode: 55 });
    await container.kill('SIGTERM');
    expect(await container.lastLines(1)).toHaveLength(1);
    await container[Symbol.asyncDispose]();
    await container[Symbol.asyncDispose]();
    expect(await leftovers()).toEqual([]);
  }, 30_000);

  test('a container that is stopped or killed is removed, and 137 is its exit code', async () => {
    const container = await launch();
    await container.kill('SIGSTOP');
    await container[Symbol.asyncDispose]();
    expect(await container.exited).toEqual({ exitCode: 137 });
    expect(await leftovers()).toEqual([]);
  }, 30_000);

  test('what cannot start is an error and leaves nothing', async () => {
    const missing = engine.launchContainer({ ...plain, entrypoint: ['/bin/missing'] }, signal);
    await expect(missing).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
    const aborted = new AbortController();
    aborted.abort();
    await expect(engine.launchContainer(plain, aborted.signal)).rejects.toMatchObject({ code: 'INTERRUPTED' });
    await expect(engine.launchContainer({ ...plain, image: 'crac-build-none:x' }, signal)).rejects.toMatchObject({
      code: 'ENGINE_FAILED',
    });
    expect(await leftovers()).toEqual([]);
  }, 30_000);

  test('containers in a network of their own reach each other by name, and nobody else', async () => {
    const network = await engine.openNetwork('crac-build-contract-network', signal);
    const local = network.isOneLoopback ? { localNames: ['one', 'two'] } : {};
    await using one = await launch({ name: 'crac-build-one', network, alias: 'one', ...local });
    const command = ['serve', '8081'];
    await using two = await launch({ name: 'crac-build-two', network, alias: 'two', ports: [8081], command, ...local });
    await using other = await launch({ name: 'crac-build-other' });
    for (let attempt = 0; !(await two.lastLines(50)).includes('ready') && attempt < 200; attempt++) await sleep(25);
    const askInside = (from: Container, host: string, port: number) =>
      from.exec(['/bin/subject', 'ask', host, `${port}`], { signal });
    expect(await askInside(two, 'one', 8080)).toMatchObject({ exitCode: 0, stdout: 'hello\n' });
    expect(await askInside(one, 'two', 8081)).toMatchObject({ exitCode: 0, stdout: 'hello\n' });
    expect(await askInside(other, 'one', 8080)).toMatchObject({ exitCode: 1 });
    expect(await ask(await one.endpoint(8080))).toBe('hello\n');
    expect(await ask(await two.endpoint(8081))).toBe('hello\n');
    for (const container of [one, two, other]) await container[Symbol.asyncDispose]();
    await network[Symbol.asyncDispose]();
    await network[Symbol.asyncDispose]();
    expect(await leftovers()).toEqual([]);
  }, 60_000);

  test('an image that nobody has is an error', async () => {
    await expect(engine.obtainImage('localhost:9/crac-build-none:1', signal)).rejects.toMatchObject({
      code: 'ENGINE_FAILED',
      message: expect.stringContaining('localhost:9/crac-build-none:1'),
    });
    await engine.obtainImage(REFERENCE, signal);
  }, 30_000);

  test('a program of this machine runs in a network with containers, and ends with all it has started', async () => {
    const network = await engine.openNetwork('crac-build-contract-network', signal);
    const spec = {
      name: 'program',
      argv: ['sh', '-c', 'id -u; pwd; echo $X; touch file; sleep 1000.5 & exec "$SUBJECT" serve 8080'],
      environment: { X: 'a b', SUBJECT: join(workDir, 'subject') },
      user: '1000:1000',
      network,
    };
    if (kind === 'docker') {
      await expect(engine.launchProcess(spec, signal)).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
      await network[Symbol.asyncDispose]();
      return;
    }
    execFileSync('gcc', ['-static', '-w', '-o', join(workDir, 'subject'), 'test/engine/subject.c'], {
      stdio: 'ignore',
    });
    execFileSync('chmod', ['755', workDir]);
    const program = await engine.launchProcess(spec, signal);
    for (let attempt = 0; !(await program.lastLines(50)).includes('ready') && attempt < 200; attempt++) await sleep(25);
    expect((await program.lastLines(50)).slice(0, 3)).toEqual(['1000', '/dev/shm', 'a b']);
    expect(await ask(await program.endpoint(8080))).toBe('hello\n');
    await using container = await launch({ network, command: ['serve', '8081'], localNames: ['program'] });
    const inside = await container.exec(['/bin/subject', 'ask', 'program', '8080'], { signal });
    expect(inside).toMatchObject({ exitCode: 0, stdout: 'hello\n' });
    expect(await program.exec(['sh', '-c', 'id -u; exit 7'], { signal })).toMatchObject({
      exitCode: 7,
      stdout: '1000\n',
    });
    await container[Symbol.asyncDispose]();
    await program[Symbol.asyncDispose]();
    await program[Symbol.asyncDispose]();
    expect(await program.exited).toEqual({ exitCode: 137 });
    await network[Symbol.asyncDispose]();
    expect(await leftovers()).toEqual([]);
    const processes = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).split('\n');
    expect(processes.filter((args) => args === 'sleep 1000.5')).toEqual([]);
    expect(existsSync('/dev/shm/file')).toBe(false);
    await expect(engine.launchProcess({ ...spec, argv: ['crac-none'], network: 'host' }, signal)).rejects.toMatchObject(
      {
        code: 'ENGINE_FAILED',
        message: 'there is no program crac-none on this machine',
      },
    );
  }, 60_000);

  test('the network of the host can be shared', async () => {
    await using container = await launch({ network: 'host', command: ['serve', '18931'] });
    for (let attempt = 0; !(await container.lastLines(50)).includes('ready') && attempt < 200; attempt++)
      await sleep(25);
    expect(await container.endpoint(18931)).toEqual({ host: '127.0.0.1', port: 18931 });
    expect(await ask({ host: '127.0.0.1', port: 18931 })).toBe('hello\n');
  }, 30_000);
});

test('auto takes Docker where a daemon answers at the usual place, else a runtime that needs none', async () => {
  const options = { cacheDir: join(workDir, 'auto'), nativeDir: join(workDir, 'native'), signal, environment: {} };
  const { name } = await connectEngine('auto', options);
  expect(name).toBe(existsSync('/var/run/docker.sock') ? 'docker' : 'oci');
});

async function ask(address: { readonly host: string; readonly port: number }): Promise<string> {
  const socket = connect(address);
  socket.write('hi');
  return await text(socket);
}

async function copyOut(container: Container, path: string): Promise<Readable> {
  const tar = await container.copyOut(path, signal);
  if (tar === undefined) throw new Error(`no ${path}`);
  return tar;
}

async function readOut(container: Container, path: string): Promise<string> {
  for await (const { content } of readTar(await copyOut(container, path))) return await text(Readable.from(content));
  throw new Error(`an empty tar of ${path}`);
}
