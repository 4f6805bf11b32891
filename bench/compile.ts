import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Checkpoint, ReadyFacts } from '../src/criu/checkpoint.ts';
import { parseCpu } from '../src/criu/control.ts';
import { composeCriuCommand, openToolbox } from '../src/criu/toolbox.ts';
import type { Bench, BenchOptions, Measurements } from './bench.ts';
import { composeDumpArgv } from './criu-reference.ts';
import { findJdk } from './find-jdk.ts';
import { runCommand } from './run-command.ts';
import { median, roundFigure } from './statistics.ts';

/**
 * The compile step alone, of a real dump of a JVM that holds 500 MB, as `crac-build build` does it.
 *
 *   compile_500mb_s, compile_500mb_rss_mb          with the native scanner of pages: time, and the most memory of the process
 *   compile_500mb_js_s, compile_500mb_js_rss_mb    the same in JavaScript alone
 *   dump_mb, mem_mb                                CRIU's pages, and what is kept of them
 */
export const compileBench: Bench = {
  name: 'compile',
  summary: 'the compile step for a JVM with 500 MB: time and memory, with native code and without',
  run,
};

/** What compile-once.ts is told, as JSON in a file. */
export interface CompileOrder {
  readonly dumpDir: string;
  readonly outDir: string;
  /** Absent: JavaScript alone. */
  readonly nativeDir?: string;
  readonly facts: Pick<Checkpoint, 'cpu' | 'ready'>;
}
export interface CompileRun {
  readonly seconds: number;
  readonly rssBytes: number;
  readonly memBytes: number;
}

const NATIVE = resolve('dist/native');
const CTL = join(NATIVE, 'ctl');
const HEAP_MB = 480;
/** Descriptors of whoever started the bench must not get into the dump. */
const CLOSE_OTHERS =
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is bash that expands it
  'for fd in /proc/self/fd/*; do fd=${fd##*/}; [ "$fd" -gt 2 ] && eval "exec $fd>&-"; done; exec "$@"';

async function run(options: BenchOptions): Promise<Measurements> {
  const { tell, workDir } = options;
  await runCommand(['npm', 'run', '-s', 'build'], { onStderr: tell });
  const dumpDir = join(workDir, 'dump');
  const ready = await dumpLiveHeap(dumpDir, options);
  const facts = { cpu: parseCpu(await runCommand([CTL, 'cpu'])), ready };
  const order = { dumpDir, outDir: join(workDir, 'compiled'), facts };
  await mkdir(order.outDir, { recursive: true });

  const runs: Record<string, number[]> = {};
  let memBytes = 0;
  const measure = async (key: string, each: CompileOrder) => {
    const measured = await compileOnce(each, join(workDir, 'compile-order.json'));
    runs[`${key}_s`] = [...(runs[`${key}_s`] ?? []), measured.seconds];
    runs[`${key}_rss_mb`] = [...(runs[`${key}_rss_mb`] ?? []), measured.rssBytes / 1e6];
    memBytes = measured.memBytes;
  };
  for (let round = 1; round <= options.runs; round++) {
    await measure('compile_500mb', { ...order, nativeDir: NATIVE });
    await measure('compile_500mb_js', order);
    tell(`round ${round} of ${options.runs}`);
  }
  const medians = Object.entries(runs).map(([key, values]) => [key, roundFigure(median(values))] as const);
  const dumpBytes = await sizeOfPages(dumpDir);
  await Promise.all([dumpDir, order.outDir].map((dir) => rm(dir, { recursive: true })));
  return {
    figures: {
      ...Object.fromEntries(medians),
      dump_mb: roundFigure(dumpBytes / 1e6),
      mem_mb: roundFigure(memBytes / 1e6),
    },
    runs,
  };
}

/** As a build does it: prepared by the agent. */
async function dumpLiveHeap(dumpDir: string, { workDir, base, javaOptions, tell }: BenchOptions): Promise<ReadyFacts> {
  const jdk = await findJdk(base);
  const classes = join(workDir, 'classes');
  await runCommand([join(jdk, 'bin/javac'), '-d', classes, 'bench/programs/LiveHeap.java']);
  const toolbox = await openToolbox({
    criu: undefined,
    dir: undefined,
    cacheDir: join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'crac-build'),
    signal: new AbortController().signal,
  });
  await rm(dumpDir, { recursive: true, force: true });
  await mkdir(dumpDir, { recursive: true });
  const options = [
    `-agentpath:${NATIVE}/libcrac.so`,
    '-Xmx1g',
    '-XX:+UseSerialGC',
    '-XX:+PerfDisableSharedMem',
    ...javaOptions,
  ];
  const argv = [join(jdk, 'bin/java'), ...options, '-cp', resolve(classes), 'LiveHeap', String(HEAP_MB)];
  tell(`filling a heap: ${argv.join(' ')}`);
  // Not pipes: Node's are sockets, which CRIU would have to know.
  await using log = await open(join(workDir, 'jvm.log'), 'w+');
  await using errors = await open(join(workDir, 'jvm-errors.log'), 'w+');
  const jvm = spawn('bash', ['--norc', '-c', CLOSE_OTHERS, 'bash', ...argv], {
    cwd: '/',
    stdio: ['ignore', log.fd, errors.fd],
    detached: true,
  });
  try {
    while ((await stat(join(workDir, 'jvm.log'))).size === 0) {
      if (jvm.exitCode !== null || jvm.signalCode !== null)
        throw new Error(`the JVM ended before its heap was filled, see ${workDir}/jvm-errors.log`);
      await sleep(100);
    }
    tell('preparing and dumping');
    const pid = String(jvm.pid);
    const ready = await runCommand([CTL, 'checkpoint', '--settle-ms', '0', '--pid', pid]);
    await runCommand(composeDumpArgv({ criu: composeCriuCommand(toolbox, toolbox.dir), dumpDir }, jvm.pid ?? 0));
    return JSON.parse(ready);
  } finally {
    if (jvm.exitCode === null && jvm.signalCode === null) {
      jvm.kill('SIGKILL');
      await once(jvm, 'exit');
    }
  }
}

async function compileOnce(order: CompileOrder, orderFile: string): Promise<CompileRun> {
  await writeFile(orderFile, JSON.stringify(order));
  return JSON.parse(await runCommand([process.execPath, 'scripts/run-ts.mjs', 'bench/compile-once.ts', orderFile]));
}

async function sizeOfPages(dumpDir: string): Promise<number> {
  const names = (await readdir(dumpDir)).filter((name) => name.startsWith('pages-'));
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(dumpDir, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
