/** The whole way on this machine, without container and agent: stock JVM → CRIU → compile → restorer → the same JVM. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Checkpoint, CpuidLeaf } from '../../src/criu/checkpoint.ts';
import { readDump } from '../../src/criu/read-dump.ts';
import { openToolbox } from '../../src/criu/toolbox.ts';
import { compileDump } from '../../src/restore-plan/compile-dump.ts';
import type { Toolbox } from '../../src/world.ts';

const repo = new URL('../..', import.meta.url).pathname;
const work = mkdtempSync(join(tmpdir(), 'jvm-restore-test-'));
const native = join(work, 'native');
const JDKS = { 17: '/usr/lib/jvm/java-17-openjdk-amd64', 25: '/usr/lib/jvm/temurin-25-jdk-amd64' } as const;
/** Descriptors of this process and of those that started it must not get into the dump. */
const CLOSE_OTHERS =
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is bash that expands it
  'for fd in /proc/self/fd/*; do fd=${fd##*/}; [ "$fd" -gt 2 ] && eval "exec $fd>&-"; done 2>/dev/null; exec "$@"';
const started: ChildProcess[] = [];
let toolbox: Toolbox;

beforeAll(async () => {
  execFileSync('make', [
    '-s',
    '-C',
    join(repo, 'native'),
    `OUT=${native}`,
    join(native, 'restore'),
    join(native, 'ctl'),
  ]);
  toolbox = await openToolbox({
    criu: undefined,
    dir: undefined,
    cacheDir: join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'crac-build'),
    signal: new AbortController().signal,
  });
}, 120_000);
afterAll(() => rmSync(work, { recursive: true, force: true }));
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

test.each([
  [17, 'Serial', 'map'],
  [17, 'G1', 'read'],
  [25, 'Serial', 'read'],
  [25, 'G1', 'map'],
] as const)(
  'JDK %d with %s, memory %s, goes on where it was',
  async (version, collector, mode) => {
    const dir = join(work, `${version}-${collector}-${mode}`);
    mkdirSync(dir);
    const port = await findFreePort();
    const jvm = launchApp(version, collector, port, dir);
    await waitFor(() => ask(port, '/hit'));
    for (const path of ['/gc', '/null', '/overflow', '/threads', '/hit']) await ask(port, path);
    await sleep(700);
    dumpApp(jvm.pid ?? 0, join(dir, 'images'));
    jvm.kill('SIGKILL');
    await ended(jvm);

    const compiled = await compileDump(readDump(join(dir, 'images')), machineFacts(), mode, dir);
    expect(compiled.threadCount).toBeGreaterThan(10);
    expect(compiled.droppedPages.zero).toBeGreaterThan(0);

    const restored = start([join(native, 'restore')], join(dir, 'restored.log'), {
      CRAC_CHECKPOINT: dir,
      CRAC_COLD: writeColdCommand(dir),
      CRAC_RESTORE: 'require',
    });
    const [roundsBefore = 0] = numbersIn(await waitFor(() => ask(port, '/rounds')));
    expect(await ask(port, '/hit')).toBe('hits 3');
    const ticksBefore = Number(await ask(port, '/ticks'));
    expect(await ask(port, '/null')).toBe('caught');
    expect(await ask(port, '/overflow')).toBe('caught');
    expect(await ask(port, '/gc')).toBe('collected');
    expect(await ask(port, '/threads')).toBe('threads 100');
    expect(Number(await ask(port, '/sleep'))).toBeGreaterThanOrEqual(100);
    for (let i = 0; i < 200; i++) expect(await ask(port, '/hit')).toBe(`hits ${i + 4}`);
    expect(await ask(port, '/gc')).toBe('collected');
    expect(Number(await ask(port, '/ticks'))).toBeGreaterThan(ticksBefore);
    const [rounds = 0, wrongSums] = numbersIn(await ask(port, '/rounds'));
    expect(rounds).toBeGreaterThan(roundsBefore);
    expect(wrongSums).toBe(0);

    restored.kill('SIGTERM');
    expect(await ended(restored)).toBe(143);
    expect(readFileSync(join(dir, 'restored.log'), 'utf8')).toContain('shutdown hook ran');
  },
  60_000,
);

test("HotSpot's thread ids are the new ones: a thread dump names the threads that exist", async () => {
  const dir = join(work, 'ids');
  mkdirSync(dir);
  const port = await findFreePort();
  const jvm = launchApp(17, 'Serial', port, dir);
  await waitFor(() => ask(port, '/hit'));
  dumpApp(jvm.pid ?? 0, join(dir, 'images'));
  jvm.kill('SIGKILL');
  await ended(jvm);
  await compileDump(readDump(join(dir, 'images')), machineFacts(), 'map', dir);
  const restored = start([join(native, 'restore')], join(dir, 'restored.log'), {
    CRAC_CHECKPOINT: dir,
    CRAC_COLD: writeColdCommand(dir),
    CRAC_RESTORE: 'require',
  });
  await waitFor(() => ask(port, '/hit'));
  restored.kill('SIGQUIT');
  const dump = await waitFor(async () => {
    const log = readFileSync(join(dir, 'restored.log'), 'utf8');
    if (!log.includes('JNI global refs')) throw new Error('no thread dump yet');
    return log;
  });
  const ids = [...dump.matchAll(/nid=0x([0-9a-f]+)/g)].map(([, hex]) => Number.parseInt(hex ?? '', 16));
  expect(ids.length).toBeGreaterThan(10);
  for (const id of ids) expect(existsSync(`/proc/${restored.pid}/task/${id}`)).toBe(true);
}, 60_000);

function launchApp(version: keyof typeof JDKS, collector: string, port: number, dir: string): ChildProcess {
  const classes = join(dir, 'classes');
  execFileSync(join(JDKS[version], 'bin/javac'), ['-d', classes, join(repo, 'test/native/jvm/RestoredApp.java')]);
  const options = [`-XX:+Use${collector}GC`, '-Xmx64m', '-XX:+PerfDisableSharedMem', '-cp', classes];
  return start([join(JDKS[version], 'bin/java'), ...options, 'RestoredApp', String(port)], join(dir, 'app.log'), {});
}

function start(argv: readonly string[], log: string, env: Readonly<Record<string, string>>): ChildProcess {
  const out = openSync(log, 'a');
  const child = spawn('bash', ['-c', CLOSE_OTHERS, 'bash', ...argv], {
    cwd: '/',
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', out, out],
    detached: true,
  });
  started.push(child);
  return child;
}

function dumpApp(pid: number, images: string): void {
  mkdirSync(images);
  const [command = '', ...args] = toolbox.criuCommand.map((word) => word.replaceAll('{}', toolbox.dir));
  const options = '--unprivileged --shell-job --tcp-close --manage-cgroups=ignore --leave-stopped -v4 -o dump.log';
  const { status, stderr } = spawnSync(
    command,
    [...args, 'dump', '-t', `${pid}`, '-D', images, ...options.split(' ')],
    {
      cwd: toolbox.dir,
      encoding: 'utf8',
    },
  );
  if (status !== 0) throw new Error(`${stderr}${readFileSync(join(images, 'dump.log'), 'utf8').slice(-2000)}`);
}

function machineFacts(): Pick<Checkpoint, 'rootFile' | 'cpu' | 'ready'> {
  const lines = execFileSync(join(native, 'ctl'), ['cpu'], { encoding: 'utf8' }).trim().split('\n');
  const cpu = lines.map((line): CpuidLeaf => {
    const [leaf = 0, subleaf = 0, a = 0, b = 0, c = 0, d = 0] = line.split(' ').map((hex) => Number.parseInt(hex, 16));
    return { leaf, subleaf, registers: [a, b, c, d] };
  });
  return {
    cpu,
    rootFile: async (path) => {
      const status = existsSync(path) ? statSync(path) : undefined;
      return status && { sizeBytes: status.size, mtimeSeconds: status.mtimeMs / 1000, localPath: path };
    },
    ready: {
      pid: 0,
      mailbox: { address: '0x0', sizeBytes: 0, nonce: '0x0' },
      nanoOffset: '0x0',
      javaVersion: '',
      gc: '',
      stepsMs: {},
      droppedBytes: 0,
    },
  };
}

function writeColdCommand(dir: string): string {
  const path = join(dir, 'cold');
  writeFileSync(path, '0\0/bin/false\0');
  return path;
}

async function ask(port: number, path: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    headers: { connection: 'close' },
    signal: AbortSignal.timeout(10_000),
  });
  return await response.text();
}

async function waitFor<T>(attempt: () => Promise<T>): Promise<T> {
  for (let left = 100; ; left--) {
    try {
      return await attempt();
    } catch (error) {
      if (left === 0) throw error;
      await sleep(100);
    }
  }
}

function numbersIn(text: string): number[] {
  return text.split(' ').map(Number);
}

async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await new Promise((resolve) => child.once('exit', resolve));
  return child.exitCode;
}

async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
