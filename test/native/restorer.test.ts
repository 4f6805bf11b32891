import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { constant, fieldOf, layout, seal } from './plan-maker.ts';
import { type SubjectOptions, type SubjectState, writeSubjectState } from './subject-state.ts';

const repo = new URL('../..', import.meta.url).pathname;
const work = mkdtempSync(join(tmpdir(), 'restorer-test-'));
const restorer = join(work, 'native/restore');
const builtSubject = join(work, 'subject-as-built');

function run(command: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

beforeAll(() => {
  chmodSync(work, 0o755);
  run('make', ['-s', '-C', join(repo, 'native'), `OUT=${work}/native`, restorer]);
  const sources = [join(repo, 'test/native/restore-subject.c'), join(repo, 'native/restore/text.c')];
  const flags =
    '-std=gnu11 -Wall -Wextra -Werror -O1 -ffreestanding -fno-builtin -fno-stack-protector -fno-pie -static -no-pie -nostdlib -mgeneral-regs-only -fcf-protection=none -fno-tree-loop-distribute-patterns -Wl,-Ttext-segment=0x10000000,-e,start_first,-z,noexecstack,-z,norelro,--build-id=none';
  run('gcc', [...flags.split(' '), '-o', builtSubject, ...sources]);
}, 60_000);
afterAll(() => rmSync(work, { recursive: true, force: true }));

interface Outcome {
  readonly status: number | null;
  readonly lines: readonly string[];
  readonly stderr: string;
}
interface Launch {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Put before the restorer's own command. */
  readonly prefix?: readonly string[];
}

function launch(dir: string, { args = [], env = {}, cwd = '/', prefix = [] }: Launch = {}): Outcome {
  const [command = '', ...rest] = [...prefix, restorer, ...args];
  const { status, stdout, stderr } = spawnSync(command, rest, {
    encoding: 'utf8',
    cwd,
    env: { CRAC_CHECKPOINT: join(dir, 'checkpoint'), ...env },
    timeout: 20_000,
  });
  return { status, lines: stdout.split('\n').filter((line) => line !== ''), stderr };
}

let folders = 0;
/** A control group of its own; `prefix` starts a command in it. */
function limitMemory(bytes: number): Disposable & { readonly prefix: readonly string[] } {
  const isV2 = statSync('/sys/fs/cgroup/cgroup.controllers', { throwIfNoEntry: false }) !== undefined;
  const group = join(isV2 ? '/sys/fs/cgroup' : '/sys/fs/cgroup/memory', `restorer-test-${process.pid}`);
  mkdirSync(group);
  writeFileSync(join(group, isV2 ? 'memory.max' : 'memory.limit_in_bytes'), `${bytes}`);
  return {
    prefix: ['sh', '-c', `echo $$ > ${group}/cgroup.procs && exec "$@"`, 'sh'],
    [Symbol.dispose]: () => void run('rmdir', [group]),
  };
}

async function makeState(
  options: Partial<SubjectOptions> = {},
): Promise<SubjectState & { dir: string; port: number; subject: string }> {
  const dir = join(work, `state-${folders++}`);
  mkdirSync(dir);
  const subject = join(dir, 'subject');
  cpSync(builtSubject, subject);
  const cold = [
    '4',
    '/bin/sh',
    '-c',
    'echo cold "$0" "$@"; pwd; umask; ls /proc/self/fd; ulimit -n; exit 3',
    'app',
    '-jar',
  ];
  writeFileSync(join(dir, 'cold'), cold.map((text) => `${text}\0`).join(''));
  const port = options.port ?? (await findFreePort());
  const state = writeSubjectState({
    dir,
    subject,
    port,
    monotonicNs: process.hrtime.bigint() - 5_000_000_000n,
    ...options,
  });
  return { ...state, dir, port, subject };
}

async function findFreePort(): Promise<number> {
  await using server = await listen(0);
  return server.port;
}

async function listen(wanted: number): Promise<{ port: number } & AsyncDisposable> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(wanted, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

function patch(state: SubjectState, field: string, value: number): void {
  const plan = readFileSync(state.planFile);
  plan.writeUInt32LE(value, fieldOf('crac_header', field)[0]);
  writeFileSync(state.planFile, seal(plan));
}

const anyUser = [
  'setpriv',
  '--reuid=54321',
  '--regid=54321',
  '--clear-groups',
  '--no-new-privs',
  '--bounding-set=-all',
];

test('the C side has the golden layout', () => {
  const program = join(work, 'plan-format');
  run('gcc', ['-std=gnu11', '-Wall', '-Wextra', '-Werror', '-o', program, join(repo, 'test/native/plan-format.c')]);
  expect(JSON.parse(run(program, []))).toEqual(layout);
});

test('the restorer is static, needs no libc and lies in its own range', () => {
  const headers = run('readelf', ['-lW', restorer]);
  expect(headers).not.toMatch(/INTERP|DYNAMIC/);
  const loads = [...headers.matchAll(/LOAD\s+0x\w+ 0x(\w+) 0x\w+ 0x\w+ 0x(\w+)/g)];
  expect(loads.length).toBeGreaterThan(0);
  for (const [, start = '', size = ''] of loads) {
    expect(BigInt(`0x${start}`)).toBeGreaterThanOrEqual(constant('CRAC_RESTORER_BASE'));
    expect(BigInt(`0x${start}`) + BigInt(`0x${size}`)).toBeLessThan(constant('CRAC_RESTORER_BASE') + 0x8000000n);
  }
  expect(statSync(restorer).size).toBeLessThan(65536);
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
      'beyond 0',
      'eventfd 7',
      'file cdefgh',
      'pipe 11 in the pipe capacity 16384',
      'dead read 0 write error 32',
      'pair 1',
      'epoll 1 1 feed',
      `listener ${state.port}`,
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
      /^crac: restored in \d+ us: checks \d+, clearing \d+, memory \d+, descriptors \d+, process \d+, threads \d+ \(10 areas, 13 descriptors, 2 threads\)\n$/,
    );
  });

  test('gets a signal that came while it was restored', async () => {
    // SIGHUP is sent before the exec, blocked, and is delivered to the default action once the mask is the frame's.
    const state = await makeState({ sections: () => ({ sigact: [] }) });
    const script = `import os,signal,sys
signal.pthread_sigmask(signal.SIG_BLOCK,[signal.SIGHUP]); os.kill(os.getpid(),signal.SIGHUP); os.execv(sys.argv[1],sys.argv[1:])`;
    const { lines, status } = launch(state.dir, { prefix: ['python3', '-c', script] });
    expect({ lines, status }).toEqual({ lines: [], status: null });
  });
});

describe('starts cold, with the reason in one line', () => {
  const needsBit = (leaf: number, reg: number, bit: number, name: number) => ({
    ...{ leaf, reg, mask: 1 << bit, value: 1 << bit, name_blob: name },
  });

  interface Broken {
    readonly name: string;
    readonly reason: RegExp;
    readonly options?: Partial<SubjectOptions>;
    readonly spoil?: (state: SubjectState & { dir: string; subject: string }) => void;
    readonly launch?: Launch;
  }
  const beforeChange: Broken[] = [
    { name: 'no plan', reason: /plan\.bin: no such file/, spoil: (s) => rmSync(s.planFile) },
    { name: 'no memory', reason: /mem\.bin: no such file/, spoil: (s) => rmSync(s.memFile) },
    { name: 'empty plan', reason: /plan\.bin is not a restore plan/, spoil: (s) => truncateSync(s.planFile, 0) },
    {
      name: 'not a plan',
      reason: /plan\.bin is not a restore plan/,
      spoil: (s) => writeFileSync(s.planFile, Buffer.alloc(8192, 'x')),
    },
    { name: 'plan cut in the header', reason: /plan\.bin is truncated/, spoil: (s) => truncateSync(s.planFile, 100) },
    { name: 'plan cut later', reason: /plan\.bin is truncated/, spoil: (s) => truncateSync(s.planFile, 4096) },
    { name: 'longer plan', reason: /plan\.bin has a wrong size/, spoil: (s) => truncateSync(s.planFile, 99999) },
    {
      name: 'other version',
      reason: /plan\.bin has version 7, this restorer needs 2/,
      spoil: (s) => patch(s, 'version', 7),
    },
    {
      name: 'other header',
      reason: /plan\.bin has a header of another size/,
      spoil: (s) => patch(s, 'header_size', 8),
    },
    {
      name: 'other architecture',
      reason: /plan\.bin is for another architecture \(183\)/,
      spoil: (s) => patch(s, 'arch', 183),
    },
    {
      name: 'other page size',
      reason: /plan\.bin is for pages of 65536 bytes/,
      spoil: (s) => patch(s, 'page_size', 65536),
    },
    { name: 'other place', reason: /restorer at another address/, spoil: (s) => patch(s, 'restorer_start', 4096) },
    { name: 'plan elsewhere', reason: /does not fit where/, options: { header: { map_address: 0x10000000 } } },
    { name: 'damaged section', reason: /plan\.bin is damaged \(section 0\)/, spoil: (s) => patch(s, 'sections', 3) },
    {
      name: 'flipped bit',
      reason: /plan\.bin is damaged \(checksum\)/,
      spoil: (s) => {
        const plan = readFileSync(s.planFile);
        plan[plan.length - 70] = (plan[plan.length - 70] ?? 0) ^ 4;
        writeFileSync(s.planFile, plan);
      },
    },
    {
      name: 'memory of another size',
      reason: /mem\.bin has 4096 bytes, the plan was made for \d+/,
      spoil: (s) => truncateSync(s.memFile, 4096),
    },
    {
      name: 'mapped file of another size',
      reason: /subject has changed: \d+ bytes, \d+ at the checkpoint/,
      spoil: (s) => truncateSync(s.subject, 999999),
    },
    {
      name: 'mapped file of another time',
      reason: /subject has changed: another modification time/,
      spoil: (s) => utimesSync(s.subject, 1, 1),
    },
    { name: 'mapped file gone', reason: /subject: no such file/, spoil: (s) => rmSync(s.subject) },
    {
      name: 'CPU without the features',
      reason: /this CPU lacks reserved_bit, bit_of_no_leaf, component_2_at_512\n/,
      options: {
        sections: (blob) => ({
          cpu: [
            needsBit(1, 3, 10, blob.text('reserved_bit')), // CPUID.1:EDX[10] is reserved and 0
            needsBit(0x0fffffff, 0, 0, blob.text('bit_of_no_leaf')),
            needsBit(0xffffff00, 0, 1, 0), // XCR0: SSE state, always there
            // the size of the x87 and SSE parts of an XSAVE area, and where its first extended part lies: 576 everywhere
            { leaf: 0xd, subleaf: 2, reg: 1, mask: 0xffffffff, value: 576, name_blob: 0 },
            { leaf: 0xd, subleaf: 2, reg: 1, mask: 0xffffffff, value: 512, name_blob: blob.text('component_2_at_512') },
          ],
        }),
      },
    },
    {
      name: 'memory where the restorer lies',
      reason: /wants memory at 200000001000, where the restorer lies/,
      options: { sections: () => ({ mem: [{ kind: 1, address: 0x200000001000n, length: 4096 }] }) },
    },
    {
      name: 'environment too large',
      reason: /arguments and environment are too large to be handed over/,
      options: { header: { mailbox_size: 4096 } },
      launch: { env: { LONG: 'x'.repeat(5000) } },
    },
    {
      name: 'too many descriptors',
      reason: /the limit of open files is 30, 56 are needed/,
      launch: { prefix: ['prlimit', '--nofile=30:30'] },
    },
  ];
  const afterChange: Broken[] = [
    {
      name: 'memory that cannot be mapped',
      reason: /memory at 40000000 \(64 KiB\) cannot be mapped: error 75/, // EOVERFLOW
      options: {
        memory: [{ kind: 2, address: 0x40000000, length: 65536, prot: 1, flags: 2, offset: 0x7ffffffffffff000n }],
      },
    },
    {
      name: 'unknown memory',
      reason: /unknown kind of memory \(9\)/,
      options: { sections: () => ({ mem: [{ kind: 9 }] }) },
    },
    {
      name: 'unknown descriptor',
      reason: /unknown kind of descriptor \(99\)/,
      options: { sections: () => ({ fd: [{ kind: 99 }] }) },
    },
    { name: 'open file gone', reason: /data\.txt: no such file/, spoil: (s) => rmSync(join(s.dir, 'data.txt')) },
    {
      name: 'open file changed',
      reason: /data\.txt has changed: 3 bytes, 10 at the checkpoint/,
      spoil: (s) => writeFileSync(join(s.dir, 'data.txt'), 'abc'),
    },
    {
      name: 'working folder gone',
      reason: /home: no such file/,
      spoil: (s) => rmSync(join(s.dir, 'home'), { recursive: true }),
    },
    {
      name: 'mailbox elsewhere',
      reason: /the app's mailbox is not at 30000000/,
      options: { header: { mailbox_nonce: 5 } },
    },
    { name: 'no thread', reason: /plan\.bin has no thread/, options: { sections: () => ({ thread: [], tidfix: [] }) } },
  ];

  const coldOutput = ['cold app -Dx=y -Dz -jar new argument -x', work, '0022', '0', '1', '2', '3'];

  test.each([...beforeChange, ...afterChange])('$name', async ({ reason, options, spoil, launch: how }) => {
    const state = await makeState(options);
    spoil?.(state);
    const wanted = { cwd: work, args: ['-Dx=y', 'new argument', '-x', '-Dz'], ...how };
    const cold = launch(state.dir, wanted);
    expect(cold.stderr).toMatch(/^crac: starting cold: [^\n]+\n$/);
    expect(cold.stderr).toMatch(reason);
    expect(cold.status).toBe(3);
    // The command, its folder, umask and descriptors (3 is that of `ls` itself): as if nothing had been tried.
    expect(cold.lines.slice(0, -1)).toEqual(coldOutput);
    const limit = Number(run('sh', ['-c', 'ulimit -n']));
    expect(Number(cold.lines.at(-1))).toBe(how?.prefix?.includes('--nofile=30:30') ? 30 : limit);

    const required = launch(state.dir, { ...wanted, env: { ...how?.env, CRAC_RESTORE: 'require' } });
    expect(required.stderr).toMatch(/^crac: cannot restore: [^\n]+\n$/);
    expect(required.stderr).toMatch(reason);
    expect(required).toMatchObject({ status: 125, lines: [] });
  });

  test('no more threads', async () => {
    const state = await makeState();
    writeFileSync(join(state.dir, 'cold'), '1\0/bin/echo\0cold\0');
    const { lines, stderr } = launch(state.dir, { prefix: [...anyUser, 'prlimit', '--nproc=1'] });
    expect({ lines, stderr }).toEqual({
      lines: ['cold'],
      stderr: 'crac: starting cold: thread 2 of 2 cannot be made: resource temporarily unavailable\n',
    });
  });

  test('port in use', async () => {
    await using server = await listen(0);
    const state = await makeState({ port: server.port });
    const { status, stderr } = launch(state.dir);
    expect({ status, stderr }).toEqual({
      status: 3,
      stderr: `crac: starting cold: port ${server.port} cannot be listened on: address already in use\n`,
    });
  });

  test('control group with less memory than needed', async () => {
    const state = await makeState();
    using group = limitMemory(32 << 20);
    const { status, stderr } = launch(state.dir, { prefix: group.prefix });
    expect({ status, stderr }).toEqual({
      status: 3,
      stderr: 'crac: starting cold: not enough memory: 64 MiB needed, the limit is 32 MiB\n',
    });
  });

  test('control group with less memory than the heap may take', async () => {
    const state = await makeState({ header: { needed_bytes: 16 << 20, max_heap_bytes: 48 << 20 } });
    using group = limitMemory(32 << 20);
    expect(launch(state.dir, { prefix: group.prefix })).toMatchObject({
      status: 3,
      stderr:
        'crac: starting cold: the heap at the checkpoint may grow to 48 MiB, the memory limit is 32 MiB: set -Xmx for the build\n',
    });
  });

  test('off: silently', async () => {
    const state = await makeState();
    expect(launch(state.dir, { env: { CRAC_RESTORE: 'off' }, args: ['a'] })).toMatchObject({ status: 3, stderr: '' });
  });

  test('ignored signals stay ignored, others get their default again', async () => {
    const state = await makeState({ sections: () => ({ thread: [], tidfix: [] }) });
    writeFileSync(join(state.dir, 'cold'), '1\0/bin/cat\0/proc/self/status\0');
    const { lines } = launch(state.dir, { prefix: ['env', '--ignore-signal=HUP'] });
    expect(lines.filter((line) => /^Sig(Blk|Ign|Cgt)/.test(line))).toEqual([
      'SigBlk:\t0000000000000000',
      'SigIgn:\t0000000000000001',
      'SigCgt:\t0000000000000000',
    ]);
  });

  test.each([
    ['missing', undefined, /^crac: cannot start: the cold command cannot be read: no such file/],
    ['damaged', 'x', /^crac: cannot start: the cold command is damaged/],
    ['without a command', '0\0', /^crac: cannot start: the cold command is damaged/],
    ['of a program that is not there', '0\0/nowhere\0', /^crac: cannot start: \/nowhere: no such file/],
  ])('cold command %s: exit 125', async (_, text, message) => {
    const state = await makeState();
    const cold = join(state.dir, 'cold');
    rmSync(cold);
    if (text !== undefined) writeFileSync(cold, text);
    const { status, stderr } = launch(state.dir, { env: { CRAC_RESTORE: 'off' } });
    expect(status).toBe(125);
    expect(stderr).toMatch(message);
  });

  test('a mode that does not exist: exit 125', async () => {
    const state = await makeState();
    const { status, stderr } = launch(state.dir, { env: { CRAC_RESTORE: 'perhaps' } });
    expect({ status, stderr }).toEqual({
      status: 125,
      stderr: 'crac: cannot restore: CRAC_RESTORE is "perhaps", it must be auto, require or off\n',
    });
  });

  test('CRAC_COLD points to another cold command', async () => {
    const state = await makeState();
    const other = join(state.dir, 'other-cold');
    writeFileSync(other, '9\0/bin/echo\0other\0');
    const { lines } = launch(state.dir, { env: { CRAC_RESTORE: 'off', CRAC_COLD: other }, args: ['last', '-Dk=v'] });
    expect(lines).toEqual(['other -Dk=v last']);
  });
});
