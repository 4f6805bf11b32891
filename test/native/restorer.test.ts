import { readdirSync, readFileSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { constant, layout } from './plan-maker.ts';
import {
  anyUser,
  compile,
  type Launch,
  launch,
  makeState,
  pathOf,
  repo,
  run,
  setUpRestorer,
} from './restorer-setup.ts';
import type { SubjectOptions } from './subject-state.ts';

setUpRestorer('restore');

test('the C side has the golden layout', () => {
  expect(JSON.parse(run(compile('plan-format', 'plan-format.c'), []))).toEqual(layout);
});

test('the restorer is static, needs no libc and lies in its own range', () => {
  const headers = run('readelf', ['-lW', pathOf('restore')]);
  expect(headers).not.toMatch(/INTERP|DYNAMIC/);
  const loads = [...headers.matchAll(/LOAD\s+0x\w+ 0x(\w+) 0x\w+ 0x\w+ 0x(\w+)/g)];
  expect(loads.length).toBeGreaterThan(0);
  for (const [, start = '', size = ''] of loads) {
    expect(BigInt(`0x${start}`)).toBeGreaterThanOrEqual(constant('CRAC_RESTORER_BASE'));
    expect(BigInt(`0x${start}`) + BigInt(`0x${size}`)).toBeLessThan(constant('CRAC_RESTORER_BASE') + 0x8000000n);
  }
  expect(statSync(pathOf('restore')).size).toBeLessThan(65536);
});

test('outside arch/ only system calls are made that every architecture has', () => {
  const everywhere = readFileSync('/usr/include/asm-generic/unistd.h', 'latin1');
  const folder = join(repo, 'native/restore');
  const sources = readdirSync(folder).filter((name) => name.endsWith('.c'));
  const calls = sources.flatMap((name) => [
    ...readFileSync(join(folder, name), 'utf8').matchAll(/\bcall\((\w+)|__NR_(\w+)/g),
  ]);
  const names = [...new Set(calls.map(([, made = '', named = made]) => named))].sort();
  expect(names).toContain('mmap');
  expect(names.filter((name) => !new RegExp(`\\b__NR_${name}\\b`).test(everywhere))).toEqual([]);
});

describe('a restored process', () => {
  test.each<{ name: string; state: Partial<SubjectOptions>; launch: Launch; isClockAhead: boolean }>([
    { name: 'equal vdso, clock ahead', state: {}, launch: {}, isClockAhead: true },
    {
      name: 'patched vdso, clock behind, any uid without capabilities',
      state: {},
      launch: { env: { CRAC_VDSO: 'patch' }, prefix: anyUser },
      isClockAhead: false,
    },
    { name: 'vdso that must stay', state: {}, launch: { env: { CRAC_VDSO: 'stay' } }, isClockAhead: true },
    { name: 'vdso of another kernel', state: { foreignVdso: true }, launch: {}, isClockAhead: true },
    { name: 'a thread held back until the app says', state: { held: 'opened' }, launch: {}, isClockAhead: true },
    { name: 'a thread held back for no longer', state: { held: 'never opened' }, launch: {}, isClockAhead: true },
  ])('has everything that the plan says: $name', async ({ state: options, launch: how, isClockAhead }) => {
    const dumpedAt = process.hrtime.bigint() - (isClockAhead ? 5n : -2000n) * 1_000_000_000n;
    const state = await makeState({ ...options, monotonicNs: dumpedAt });
    const env = { HELLO: 'world', EMPTY: '', CRAC_RESTORE: 'require', ...how.env };
    const { status, lines, stderr } = launch(state.dir, { ...how, env, args: ['-Da=b', 'two words', ''] });
    expect({ status, stderr }).toEqual({ status: 42, stderr: '' });

    const delta = BigInt(/^clock_delta_ns (-?\d+)$/m.exec(lines.join('\n'))?.[1] ?? 0);
    expect(Math.abs(Number(delta) / 1e9 - (isClockAhead ? 5 : -2000))).toBeLessThan(4.9);
    const shifted = 1000_999_999_999n + delta;
    expect(lines.filter((line) => !/^(map|clock_delta_ns) /.test(line))).toEqual([
      ...(options.held === undefined ? [] : ['second.held yes']),
      'argument abcdef',
      'mxcsr 9fc0',
      'first.ids right',
      'first.fs right',
      'first.name right',
      'first.rseq registered',
      'first.mask 8000000',
      'second.ids right',
      'second.fs right',
      'second.name right',
      'second.rseq failed',
      'second.cleared right',
      'signals_seen 1',
      'sigpipe ignored',
      'sighup default',
      'fd.3 flags=2 fd_flags=0',
      'fd.4 flags=2 fd_flags=1',
      'fd.5 flags=802 fd_flags=1',
      'fd.6 flags=0 fd_flags=0',
      'fd.7 flags=0 fd_flags=1',
      'fd.8 flags=800 fd_flags=0',
      'fd.9 flags=801 fd_flags=1',
      'fd.10 flags=802 fd_flags=1',
      'fd.11 flags=2 fd_flags=0',
      'fd.12 flags=802 fd_flags=0',
      'fd.13 flags=2 fd_flags=0',
      'fd.14 flags=2 fd_flags=0',
      'fd.15 flags=802 fd_flags=0',
      'fd.16 flags=0 fd_flags=0',
      'beyond 0',
      'eventfd 7',
      'file cdefgh',
      'pipe 11 in the pipe capacity 16384',
      'dead read 0 write error 32',
      'pair 6 packet',
      'pair 1 other end 0',
      'timerfd 3',
      'closed pipe 11 in the pipe 0',
      'epoll 1 1 feed',
      `listener ${state.port} keepidle 77`,
      `cwd ${state.dir}/home`,
      'umask 17',
      'nofile 77',
      'late fresh error 14',
      'brk 20000000',
      isClockAhead ? `deadline.0 ${shifted / 1_000_000_000n} ${shifted % 1_000_000_000n}` : 'deadline.0 0 0',
      isClockAhead ? 'deadline.1 9223372036854775806 5' : expect.stringMatching(/^deadline.1 9223372036854773\d+ \d+$/),
      isClockAhead ? `deadline.2 ${delta / 1_000_000_000n} ${delta % 1_000_000_000n}` : 'deadline.2 0 0',
      `nano_offset ${50n - delta}`,
      'vdso right',
      ...(options.foreignVdso ? ['vdso_unknown -38'] : []),
      `mailbox state=${constant('CRAC_RESTORED')} argc=3 pid=right`,
      'released right',
      'arg -Da=b',
      'arg two words',
      'arg ',
      `env CRAC_CHECKPOINT=${state.dir}/checkpoint`,
      ...Object.entries(env).map(([name, value]) => `env ${name}=${value}`),
      'data_size right',
    ]);

    const areas = lines.flatMap(
      (line) => /^map (\S+ \S+) (?:.*?)(?:\s(\[\w+\]))?$/.exec(line)?.slice(1, 3).join(' ') ?? [],
    );
    const foreign = areas
      .filter((text) => !/^2000\w{8}-|^ffffffffff600000|\[v(dso|var\w*)\]/.test(text))
      .map((text) => text.trim());
    const isPatched = options.foreignVdso === true || how.env !== undefined;
    expect(foreign.filter((text) => !text.startsWith('7e'))).toEqual(state.maps);
    expect(foreign.filter((text) => text.startsWith('7e'))).toHaveLength(isPatched ? 1 : 0);
    expect(areas.some((text) => /^7e\w+-\w+ r-xp \[vdso\]$/.test(text))).toBe(!isPatched);
  });

  test('tells its phases on request and is silent otherwise', async () => {
    const state = await makeState();
    const { status, stderr } = launch(state.dir, { env: { CRAC_LOG: 'debug' } });
    expect(status).toBe(42);
    expect(stderr).toMatch(
      /^crac: restored in \d+ us: checks \d+, clearing \d+, memory \d+, descriptors \d+, process \d+, threads \d+ \(12 areas, 15 descriptors, 2 threads\)\n$/,
    );
  });

  test('gets a signal that came while it was restored', async () => {
    // SIGHUP is sent before the exec, blocked, and is delivered to the default action once the mask is the frame's.
    const state = await makeState({ sections: () => ({ sigact: [] }) });
    const script = `import os,signal,sys
signal.pthread_sigmask(signal.SIG_BLOCK,[signal.SIGHUP]); os.kill(os.getpid(),signal.SIGHUP); os.execv(sys.argv[1],sys.argv[1:])`;
    const { lines, status } = launch(state.dir, {
      prefix: ['sh', '-c', '"$@"; exit $?', 'sh', 'python3', '-c', script],
    });
    expect({ lines, status }).toEqual({ lines: [], status: 128 + constants.signals.SIGHUP });
  });
});
