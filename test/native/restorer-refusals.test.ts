import { readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { constant } from './plan-maker.ts';
import { type Launch, launch, makeState, patch, run, type State, setUpRestorer, work } from './restorer-setup.ts';
import type { SubjectOptions } from './subject-state.ts';

setUpRestorer('restore');

describe('starts cold, with the reason in one line', () => {
  const needsBit = (leaf: number, reg: number, bit: number, name: number) => ({
    ...{ leaf, reg, mask: 1 << bit, value: 1 << bit, name_blob: name },
  });

  interface Broken {
    readonly name: string;
    readonly reason: RegExp;
    readonly options?: Partial<SubjectOptions>;
    readonly spoil?: (state: State) => void;
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
    {
      name: 'plan that reaches beyond its place',
      reason: /does not fit where/,
      options: { header: { map_address: constant('CRAC_RESTORER_END') - 4096n } },
    },
    {
      name: 'plan between two pages',
      reason: /does not fit where/,
      options: { header: { map_address: constant('CRAC_PLAN_BASE') + 64n } },
    },
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
      reason: /plan\.bin is damaged \(MEM 0: where the restorer lies\)/,
      options: { sections: () => ({ mem: [{ kind: 1, address: 0x200000001000n, length: 4096 }] }) },
    },
    {
      name: 'a folder that is no text of the plan',
      reason: /plan\.bin is damaged \(header 0: cwd_blob\)/,
      options: { header: { cwd_blob: 0xfffffff0 } },
    },
    {
      name: 'pages that mem.bin does not have',
      reason: /plan\.bin is damaged \(MEM \d+: outside mem\.bin\)/,
      options: { memory: [{ kind: 3, address: 0x40000000, length: 4096, prot: 1, flags: 2, offset: 0x40000000 }] },
    },
    {
      name: 'a deadline where nothing is',
      reason: /plan\.bin is damaged \(TIMES 0: address\)/,
      options: { sections: () => ({ time: [{ address: 0x40000000, clock: 1 }] }) },
    },
    {
      name: 'the id of a thread that is none',
      reason: /plan\.bin is damaged \(TIDFIX 0: thread\)/,
      options: { sections: () => ({ tidfix: [{ address: 0x40000000, thread: 2 }] }) },
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
  // A file that is shorter than what is mapped of it, as one is whose disk fails.
  const withoutPage = { kind: 2, address: 0x50000000, length: 4096, offset: 1 << 24, prot: 3, flags: 2, file: 0 };
  const whereVdsosLie = { kind: 1, address: 0x7e8000000000n, length: 0x17ffff00000n, prot: 0, flags: 0x4022 };
  const afterChange: Broken[] = [
    {
      name: 'a page that cannot be read',
      reason: /memory at 50000010 cannot be read: its file is too short, or its disk fails/,
      options: { moreMemory: [withoutPage], header: { nano_offset: 0x50000010 } },
    },
    {
      name: 'a vdso that must stay, in the way',
      reason: /the kernel's vdso lies where the app's memory was/,
      options: { moreMemory: [whereVdsosLie] },
      launch: { env: { CRAC_VDSO: 'stay' } },
    },
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
});
