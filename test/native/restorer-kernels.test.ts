/** Kernels and profiles that lack a call, or refuse it: restored all the same, or started cold with the reason. */
import { join } from 'node:path';
import { constant } from './plan-maker.ts';
import { compile, launch, makeState, setUpRestorer, work, writeCold } from './restorer-setup.ts';

setUpRestorer('restore');
beforeAll(() => void compile('filter-calls', 'filter-calls.c'), 60_000);

const PR_SET_MM = 35;
const PR_SET_CHILD_SUBREAPER = 36;
const PR_GET_CHILD_SUBREAPER = 37;
const PR_SET_THP_DISABLE = 41;
const PR_GET_THP_DISABLE = 42;
const MAP_DROPPABLE = 8;
const refusing = (...rules: readonly string[]): readonly string[] => [join(work, 'filter-calls'), ...rules, '--'];
const withTimes = /^(map|deadline\.\d|clock_delta_ns|nano_offset|listener|cwd|env) /;

describe('restored without', () => {
  let good: readonly string[];
  beforeAll(async () => {
    const { dir } = await makeState();
    good = launch(dir).lines.filter((line) => !withTimes.test(line));
  });

  test.each<{ name: string; rules: readonly string[]; instead?: Readonly<Record<string, string>> }>([
    { name: 'close_range', rules: ['close_range=ENOSYS'], instead: { 'beyond 0': 'beyond 1' } },
    { name: 'clone3', rules: ['clone3=ENOSYS'] },
    {
      name: 'rseq',
      rules: ['rseq=ENOSYS'],
      instead: { 'first.rseq registered': 'first.rseq not registered' },
    },
    {
      name: 'PR_SET_MM_MAP',
      rules: [`prctl:0:0xffffffff:${PR_SET_MM}=EPERM`],
      instead: { 'brk 20000000': expect.stringMatching(/^brk (?!20000000$)/) },
    },
    { name: 'a vdso that can be moved (mseal)', rules: ['mremap=EPERM'] },
    { name: 'madvise', rules: ['madvise=EINVAL'] },
    { name: 'futex, for the watchdog and the gate', rules: ['futex=ENOSYS'] },
    {
      name: 'all of these',
      rules: ['close_range=ENOSYS', 'rseq=EPERM', `prctl:0:0xffffffff:${PR_SET_MM}=EPERM`, 'mremap=EPERM'],
      instead: {
        'beyond 0': 'beyond 1',
        'first.rseq registered': 'first.rseq not registered',
        'brk 20000000': expect.stringMatching(/^brk (?!20000000$)/),
      },
    },
  ])('$name', async ({ rules, instead = {} }) => {
    const { dir } = await makeState();
    const { status, stderr, lines } = launch(dir, { prefix: refusing(...rules) });
    expect({ status, stderr }).toEqual({ status: 42, stderr: '' });
    expect(lines.filter((line) => !withTimes.test(line))).toEqual(good.map((line) => instead[line] ?? line));
  });

  test.each([
    ['the usual layout of addresses', 'setarch --addr-compat-layout'],
    ['random addresses', 'setarch --addr-no-randomize'],
    ['a second CPU', 'taskset --cpu-list 0'],
  ])('%s: %s', async (_, command) => {
    const { dir } = await makeState();
    const { status, stderr, lines } = launch(dir, { prefix: command.split(' ') });
    expect({ status, stderr }).toEqual({ status: 42, stderr: '' });
    expect(lines.filter((line) => !withTimes.test(line))).toEqual(good);
  });

  test('a vdso that can be moved, and with another one', async () => {
    const { dir } = await makeState({ foreignVdso: true });
    const { status, stderr, lines } = launch(dir, { prefix: refusing('mremap=EPERM') });
    expect({ status, stderr }).toEqual({ status: 42, stderr: '' });
    expect(lines).toEqual(expect.arrayContaining(['vdso right', 'vdso_unknown -38']));
  });

  test('futex: a thread that is held back for the runtime goes on', async () => {
    const { dir } = await makeState({ held: 'never opened' });
    expect(launch(dir, { prefix: refusing('futex=ENOSYS') })).toMatchObject({ status: 42, stderr: '' });
  });

  test('MAP_DROPPABLE (before 6.11)', async () => {
    const droppable = { kind: 1, address: 0x28000000, length: 8192, prot: 3, flags: MAP_DROPPABLE | 0x20 };
    const { dir } = await makeState({ moreMemory: [droppable] });
    const { status, stderr, lines } = launch(dir, { prefix: refusing(`mmap:3:15:${MAP_DROPPABLE}=EINVAL`) });
    expect({ status, stderr }).toEqual({ status: 42, stderr: '' });
    expect(lines).toContainEqual(expect.stringMatching(/^map 28000000-28002000 rw-p 00000000 00:00 0/));
  });
});

describe('started cold without', () => {
  test.each<{ name: string; rule: string; reason: string }>([
    {
      name: 'prlimit64',
      rule: 'prlimit64=EPERM',
      reason: 'the limit of open files cannot be read: operation not permitted',
    },
    {
      name: 'set_robust_list',
      rule: 'set_robust_list=ENOSYS',
      reason: 'locks cannot be made robust: the kernel does not have this call',
    },
    { name: 'clone', rule: 'clone=EPERM', reason: 'thread 2 of 2 cannot be made: operation not permitted' },
    {
      name: 'epoll',
      rule: 'epoll_create1=ENOSYS',
      reason: 'an epoll (descriptor 4) cannot be made: the kernel does not have this call',
    },
    {
      name: 'eventfd',
      rule: 'eventfd2=EPERM',
      reason: 'an eventfd (descriptor 5) cannot be made: operation not permitted',
    },
    {
      name: 'an address space as large',
      rule: 'mmap:0:0xffffff000000:0x7e0000000000=ENOMEM',
      reason: 'memory at 7e0000007000 is needed, and this kernel does not give it: cannot allocate memory',
    },
  ])('$name', async ({ rule, reason }) => {
    const { dir } = await makeState();
    const { status, stderr } = launch(dir, { prefix: refusing(rule) });
    expect({ status, stderr }).toEqual({ status: 3, stderr: `crac: starting cold: ${reason}\n` });
    const required = launch(dir, { prefix: refusing(rule), env: { CRAC_RESTORE: 'require' } });
    expect(required).toEqual({ status: 125, lines: [], stderr: `crac: cannot restore: ${reason}\n` });
  });

  const given = `import ctypes, os, sys; prctl = ctypes.CDLL(None).prctl
prctl(${PR_SET_CHILD_SUBREAPER}, 1, 0, 0, 0); prctl(${PR_SET_THP_DISABLE}, 1, 0, 0, 0); os.execvp(sys.argv[1], sys.argv[1:])`;

  test.each([
    ['what prctl had set does not outlast the attempt', [], '0 0'],
    ['what the container had set with prctl stays', ['python3', '-c', given], '1 1'],
  ])('set_robust_list: %s', async (_, prefix, values) => {
    const flags = Number(constant('CRAC_SUBREAPER') | constant('CRAC_NO_HUGE_PAGES'));
    const { dir } = await makeState({ header: { flags } });
    const script = `import ctypes; is_set = ctypes.c_int(9); prctl = ctypes.CDLL(None).prctl
prctl(${PR_GET_CHILD_SUBREAPER}, ctypes.byref(is_set), 0, 0, 0); print(is_set.value, prctl(${PR_GET_THP_DISABLE}, 0, 0, 0, 0))`;
    writeCold(dir, '9', '/usr/bin/python3', '-c', script);
    const { lines, stderr } = launch(dir, { prefix: [...prefix, ...refusing('set_robust_list=EPERM')] });
    expect(stderr).toBe('crac: starting cold: locks cannot be made robust: operation not permitted\n');
    expect(lines).toEqual([values]);
  });

  test('close_range: no descriptor of the attempt is left', async () => {
    const { dir } = await makeState({ header: { mailbox_nonce: 5, scratch_fd: 900 } });
    const prefix = ['prlimit', '--nofile=64:4096', ...refusing('close_range=ENOSYS')];
    const { lines } = launch(dir, { prefix, args: ['x'] });
    expect(lines.slice(-5)).toEqual(['0', '1', '2', '3', '64']); // 3: that of `ls` itself; then the limit
  });
});
