import { readFileSync, rmSync } from 'node:fs';
import { compileDump } from '../../../src/restore-plan/compile-dump.ts';
import { FD, MEM } from '../../../src/restore-plan/format.ts';
import { NOTHING_DROPPED } from '../../../src/restore-plan/kept-pages.ts';
import { THREAD_HELD } from '../../../src/restore-plan/threads.ts';
import { blobBytes, blobText, readHeader, readSection } from './plan-reader.ts';
import {
  anonymous,
  compileSample,
  factsOf,
  HEAP,
  LIBRARY,
  makeSample,
  open,
  PID,
  regular,
  type Sample,
  STACK,
  VDSO,
  writeSample,
} from './sample-dump.ts';

const PAGE = 4096;
let sample: Sample;
beforeEach(() => {
  sample = makeSample();
});
afterEach(() => rmSync(sample.dir, { recursive: true, force: true }));

test('memory: areas first, kept pages over them, the stack read', async () => {
  const { plan, mem, image } = await compileSample(sample);
  const records = readSection(plan, 'CRAC_MEM', 'crac_mem').map(({ address, length, offset, kind, prot, flags }) => [
    kind,
    address,
    (length ?? 0) / PAGE,
    offset,
    prot,
    flags,
  ]);
  expect(records).toEqual([
    [MEM.ANON, HEAP, 4, 0, 3, 0x4022],
    [MEM.PAGES, HEAP, 1, 0, 3, 0x4002],
    [MEM.PAGES, HEAP + 2 * PAGE, 1, PAGE, 3, 0x4002],
    [MEM.FILE, LIBRARY, 2, 0, 3, 2],
    [MEM.PAGES, LIBRARY + PAGE, 1, 2 * PAGE, 3, 2],
    [MEM.ANON, STACK, 4, 0, 3, 0x122],
    [MEM.READ, STACK + 2 * PAGE, 1, 3 * PAGE, 3, 0],
  ]);
  expect(mem.toString('latin1')).toBe(['h', 'H', 'x', 's'].map((byte) => byte.repeat(PAGE)).join(''));
  expect(image.droppedPages).toEqual({ ...NOTHING_DROPPED, zero: 1, 'equal-to-file': 1, 'dead-stack': 1 });
  expect(image.mappingCount).toBe(4 + 2 + 1);
});

test('areas without a gap between them stay apart, each with its own protection', async () => {
  sample.vmas.push(anonymous(HEAP + 4 * PAGE, 2, { 5: 1 }));
  for (const page of [3, 4]) sample.pages.set(HEAP + page * PAGE, Buffer.alloc(PAGE, `${page}`));
  const { plan } = await compileSample(sample);
  const records = readSection(plan, 'CRAC_MEM', 'crac_mem').filter(
    ({ kind, address }) => kind === MEM.PAGES && (address ?? 0) < LIBRARY,
  );
  expect(records.map(({ address, length, offset, prot }) => [address, length, offset, prot])).toEqual([
    [HEAP, PAGE, 0, 3],
    [HEAP + 2 * PAGE, 2 * PAGE, PAGE, 3],
    [HEAP + 4 * PAGE, PAGE, 3 * PAGE, 1],
  ]);
});

test('a page of a mapped file that the app has zeroed stays zero: what the file holds must not come back', async () => {
  sample.pages.set(LIBRARY + PAGE, Buffer.alloc(PAGE));
  const { plan, mem, image } = await compileSample(sample);
  const records = readSection(plan, 'CRAC_MEM', 'crac_mem').filter(({ kind }) => kind === MEM.PAGES);
  const zeroed = records.find(({ address }) => address === LIBRARY + PAGE);
  expect(zeroed).toMatchObject({ length: PAGE });
  expect(mem.subarray(zeroed?.['offset'] ?? -1, (zeroed?.['offset'] ?? 0) + PAGE)).toEqual(Buffer.alloc(PAGE));
  expect(image.droppedPages).toMatchObject({ zero: 1 }); // the heap's
});

test('checkpoint.memory: read reads private memory, huge pages advised above 2 MiB', async () => {
  const large = HEAP + (1 << 20);
  sample.vmas.push(anonymous(large, 1024, { 5: 1, 9: 1n << 16n }));
  sample.pages.set(large, Buffer.alloc(PAGE, 'h')).set(large + 2 * PAGE, Buffer.alloc(PAGE, 'H'));
  const { plan } = await compileSample(sample, 'read');
  const records = readSection(plan, 'CRAC_MEM', 'crac_mem').filter(
    ({ address = 0 }) => address >= large && address < LIBRARY,
  );
  expect(records.map(({ kind, prot, flags }) => [kind, prot, flags])).toEqual([
    [MEM.ANON, 3, 0x4022],
    [MEM.ADVISE, 0, 14],
    [MEM.READ, 1, 0],
    [MEM.READ, 1, 0],
    [MEM.PROTECT, 1, 0],
    [MEM.ADVISE, 0, 16],
  ]);
});

test('steps that are skipped: dead stack is kept, and nobody asks for free heap', async () => {
  const sample = makeSample();
  for (const page of [0, 1, 2]) sample.pages.set(STACK + page * PAGE, Buffer.alloc(PAGE, 's'));
  const { image } = await compileSample(sample);
  expect(image.droppedPages['dead-stack']).toBe(2);
  expect(image.unknownHeap).toMatch(/does not tell/);
  const { image: whole } = await compileSample(sample, 'map', undefined, ['dead-stacks', 'heap-pages']);
  expect(whole.droppedPages['dead-stack']).toBe(0);
  expect(whole.unknownHeap).toBeUndefined();
  expect(whole.memBytes).toBe(image.memBytes + 2 * PAGE);
});

test('MAP_DROPPABLE memory comes back empty and private', async () => {
  sample.vmas[0] = { ...sample.vmas[0], 6: 0x28, 7: 0x201 };
  const { plan } = await compileSample(sample);
  const [first, second] = readSection(plan, 'CRAC_MEM', 'crac_mem');
  expect(first).toMatchObject({ kind: MEM.ANON, address: HEAP, flags: 0x22 });
  expect(second).toMatchObject({ kind: MEM.FILE });
});

test('header: clocks, mailbox, vdso, folder', async () => {
  const { plan, mem } = await compileSample(sample);
  const header = readHeader(plan);
  expect(header).toMatchObject({
    monotonic_ns: 5_000_000_007,
    boottime_ns: 6_000_000_008,
    nano_offset: 0x10000800,
    mailbox: HEAP,
    mailbox_size: PAGE,
    vdso_start: VDSO,
    vdso_size: PAGE,
    vvar_start: VDSO - 2 * PAGE,
    vvar_size: 2 * PAGE,
    umask: 0o22,
    mem_size: mem.length,
    scratch_fd: 3,
  });
  expect(blobText(plan, header['cwd_blob'] ?? 0)).toBe('/work');
  const [symbol] = readSection(plan, 'CRAC_VDSO', 'crac_vdso_symbol');
  expect(blobText(plan, symbol?.['name_blob'] ?? 0)).toBe('__vdso_clock_gettime');
  expect(symbol?.['offset']).toBe(0x800);
});

test('header: the clock pages may be several areas, in any order', async () => {
  const vvar = sample.vmas[3];
  sample.vmas.push({ ...vvar, 1: VDSO - 6 * PAGE, 2: VDSO - 2 * PAGE });
  expect(readHeader((await compileSample(sample)).plan)).toMatchObject({
    ...{ vvar_start: VDSO - 6 * PAGE, vvar_size: 6 * PAGE, vdso_start: VDSO },
  });
});

test('header: the memory that a restore needs at once, and to what the heap may grow', async () => {
  const headerWith = async (mode: 'map' | 'read') => readHeader((await compileSample(sample, mode)).plan);
  const [mapped, read] = [await headerWith('map'), await headerWith('read')];
  expect(mapped['needed_bytes']).toBeGreaterThan(24 << 20);
  expect((read['needed_bytes'] ?? 0) - (mapped['needed_bytes'] ?? 0)).toBe(2 * PAGE); // the heap's two
  expect(mapped['max_heap_bytes']).toBe(0); // nobody has told

  const facts = factsOf(sample);
  const ready = { ...facts.ready, maxHeapBytes: 48 << 20 };
  const { planFile } = await compileDump(writeSample(sample), { ...facts, ready }, 'map', sample.dir);
  expect(readHeader(readFileSync(planFile))).toMatchObject({ max_heap_bytes: 48 << 20 });
});

test('mapped files carry what they must still be, times in whole seconds', async () => {
  const library = sample.root.get('/lib/library');
  if (library !== undefined) sample.root.set('/lib/library', { ...library, mtimeSeconds: 1000.999 });
  const { plan } = await compileSample(sample);
  const [file] = readSection(plan, 'CRAC_FILES', 'crac_file');
  expect(file).toMatchObject({ size: 2 * PAGE, mtime_s: 1000, open_flags: 0 });
  expect(blobText(plan, file?.['path_blob'] ?? 0)).toBe('/lib/library');
});

test('the CPU must have what the build CPU had and its system enabled', async () => {
  const { plan } = await compileSample(sample);
  const names = readSection(plan, 'CRAC_CPU', 'crac_cpu').map(({ name_blob: name }) => blobText(plan, name ?? 0));
  expect(names).toEqual(['avx', 'sse2', 'AVX state saved by the system']);
});

test('signals after SIGKILL keep their numbers', async () => {
  sample.task[15] = Array.from({ length: 62 }, (_, index) => ({ 1: index + 1, 2: 4, 3: 5, 4: 6 }));
  const { plan } = await compileSample(sample);
  const actions = readSection(plan, 'CRAC_SIGACT', 'crac_sigact');
  expect(actions.map(({ signal, handler }) => [signal, handler]).slice(7, 10)).toEqual([
    [8, 8],
    [10, 9],
    [11, 10],
  ]);
  expect(actions.at(-1)).toMatchObject({ signal: 64, handler: 62 });
});

describe('threads', () => {
  /** As `/proc/PID/task/TID/comm` has them, with the collectors and JDKs that are supported. */
  const OWN_THREADS = [
    ...['VM Thread', 'VM Periodic Tas', 'C1 CompilerThre', 'C2 CompilerThre', 'Reference Handl', 'Finalizer'],
    ...['Signal Dispatch', 'Service Thread', 'Monitor Deflati', 'Notification Th', 'Common-Cleaner', 'Attach Listener'],
    ...['GC Thread#0', 'G1 Main Marker', 'G1 Conc#0', 'G1 Refine#0', 'G1 Service', 'ParGC Thread#0', 'Sweeper thread'],
    ...['Shenandoah GC T', 'Concurrent Mark', 'crac checkpoint'],
  ];

  test('one in a system call gets a frame with FXSAVE only', async () => {
    sample.registers[11] = 202;
    const { plan } = await compileSample(sample);
    const [thread] = readSection(plan, 'CRAC_THREADS', 'crac_thread');
    expect(thread).toMatchObject({ tls: 0x7000, clear_tid: HEAP + 0x820, robust_list: 0x5010, old_tid: PID });
    const frame = readFrame(plan, thread?.['frame'] ?? 0);
    expect(frame).toMatchObject({ ax: 202n, ip: 0x1234n, flags: 6n, mask: 4n });
    expect(frame.fp % 64).toBe(0);
    expect(plan.readUInt32LE(frame.fp + 464)).toBe(0);
    expect(plan.readUInt16LE(frame.fp)).toBe(0x37f);
  });

  test.each([
    ['one of the app that waits in the kernel', 'http-worker', {}, THREAD_HELD],
    ...OWN_THREADS.map((name) => ['one of the JVM', name, {}, 0] as const),
    ['the one that waits for the restore', 'main', { 15: HEAP + 24 }, 0],
    ['one that runs code', 'http-worker', { 16: 0xffffffffffffffffn }, 0],
  ] as const)('is held back until the runtime is ready: %s (%s)', async (_, name, registers, flags) => {
    sample.thread[13] = name;
    Object.assign(sample.registers, registers);
    const { plan } = await compileSample(sample);
    expect(readSection(plan, 'CRAC_THREADS', 'crac_thread')[0]).toMatchObject({ flags });
  });

  test.each([202n, 0xfffffffffffffffcn])('a monotonic deadline is moved (rax %d)', async (ax) => {
    Object.assign(sample.registers, { 11: ax, 14: 0x89, 8: HEAP + 0x840 });
    const { plan } = await compileSample(sample);
    expect(readSection(plan, 'CRAC_TIMES', 'crac_time')).toEqual([{ address: HEAP + 0x840, clock: 1 }]);
  });

  test.each([
    ['the wall clock', { 14: 0x189, 8: 0x6000 }],
    ['no deadline', { 14: 0x89, 8: 0 }],
    ['a duration', { 14: 0x80, 8: 0x6000 }],
    ['user code', { 16: 0xffffffffffffffffn, 14: 0x89, 8: 0x6000 }],
  ])('%s is left alone', async (_, registers) => {
    Object.assign(sample.registers, registers);
    const { plan } = await compileSample(sample);
    expect(readSection(plan, 'CRAC_TIMES', 'crac_time')).toEqual([]);
  });
});

describe('descriptors', () => {
  const fds = async (): Promise<Record<string, number>[]> =>
    readSection((await compileSample(sample)).plan, 'CRAC_FDS', 'crac_fd');

  test('0 to 2 are inherited, copies follow their original', async () => {
    open(sample, 0, regular(2, '/dev/null', { 10: 0o020666 }));
    open(sample, 2, regular(3, '/somewhere/log', { 2: 1 }));
    open(sample, 5, regular(3, '/somewhere/log', { 2: 1 }), 1);
    expect(await fds()).toMatchObject([
      { fd: 0, kind: FD.INHERIT },
      { fd: 2, kind: FD.INHERIT },
      { fd: 5, kind: FD.DUP, a: 2, fd_flags: 1 },
    ]);
  });

  test('files that are read keep their position', async () => {
    open(sample, 4, regular(1, '/lib/library', { 3: 77, 8: 2 * PAGE }));
    sample.files[0] = regular(1, '/lib/library', { 3: 77, 8: 2 * PAGE });
    expect(await fds()).toMatchObject([{ fd: 4, kind: FD.FILE, a: 77, b: 2 * PAGE }]);
  });

  test('a file that engines write may be another', async () => {
    const localPath = `${sample.dir}/library`;
    for (const path of ['/etc/passwd', '/etc/other'])
      sample.root.set(path, { sizeBytes: 2 * PAGE, mtimeSeconds: 1, localPath });
    open(sample, 4, regular(4, '/etc/passwd', { 8: 2 * PAGE }));
    open(sample, 5, regular(5, '/etc/other', { 8: 2 * PAGE }));
    expect(await fds()).toMatchObject([
      { fd: 4, b: Number(0xffff_ffff_ffff_ffffn) },
      { fd: 5, b: 2 * PAGE },
    ]);
    const { plan } = await compileSample(sample);
    const files = readSection(plan, 'CRAC_FILES', 'crac_file').map(({ path_blob: at }) => blobText(plan, at ?? 0));
    expect(files).toEqual(['/lib/library', '/etc/other']);
  });

  test('eventfd and epoll with what it watches', async () => {
    open(sample, 6, { 1: 6, 2: 10, 8: { 1: 10, 2: 0o4000, 4: 3 } });
    open(sample, 7, { 1: 7, 2: 11, 9: { 1: 11, 2: 0o2000000, 4: [{ 1: 11, 2: 6, 3: 25, 4: 0x70000006 }] } });
    expect(await fds()).toMatchObject([
      { fd: 6, kind: FD.EVENTFD, a: 3, flags: 0o4000 },
      { fd: 7, kind: FD.EPOLL },
    ]);
    const { plan } = await compileSample(sample);
    expect(readSection(plan, 'CRAC_EPOLL', 'crac_epoll')).toMatchObject([
      { epoll_fd: 7, fd: 6, events: 25, data: 0x70000006 },
    ]);
  });

  test('a pipe of the app with what is in it', async () => {
    open(sample, 8, { 1: 2, 2: 12, 18: { 1: 12, 2: 500, 3: 0o4000 } }, 1);
    open(sample, 9, { 1: 2, 2: 13, 18: { 1: 13, 2: 500, 3: 0o4001 } });
    sample.images.set('pipes-data', {
      magic: 0x56453709,
      records: [{ 1: 500, 2: 5, 3: 65536 }, Buffer.from('inside')],
    });
    sample.images.set('pipes-data', {
      magic: 0x56453709,
      records: [{ 1: 500, 2: 6, 3: 65536 }, Buffer.from('inside')],
    });
    const { plan } = await compileSample(sample);
    const [pipe] = readSection(plan, 'CRAC_FDS', 'crac_fd');
    expect(pipe).toMatchObject({ fd: 8, kind: FD.PIPE, a: 9, c: 6, d: 0o4001, fd_flags: 1, path_blob: 0 });
    expect(blobBytes(plan, pipe?.['b'] ?? 0, 6).toString()).toBe('inside');
  });

  test('listening TCP sockets of both families', async () => {
    const options = { 1: 0, 2: 0, 7: true, 17: true };
    const socket = { 2: 7, 4: 1, 5: 6, 6: 10, 7: 8080, 8: 0, 9: 0o4002, 10: 50, 14: options };
    open(sample, 10, { 1: 4, 2: 14, 4: { 1: 14, 3: 2, 11: [0x0100007f], ...socket } });
    open(sample, 11, {
      1: 4,
      2: 15,
      4: { 1: 15, 3: 10, 11: [0, 0, 0, 0x01000000], 15: true, 20: { 2: true }, ...socket },
    });
    const { plan } = await compileSample(sample);
    expect(readSection(plan, 'CRAC_FDS', 'crac_fd')).toMatchObject([
      { fd: 10, kind: FD.SOCKET, a: 0, flags: 0o4002 },
      { fd: 11, kind: FD.SOCKET, a: 1 },
    ]);
    const [v4, v6] = readSection(plan, 'CRAC_SOCKETS', 'crac_socket');
    expect(v4).toMatchObject({ family: 2, type: 1, protocol: 6, backlog: 50, address_size: 16, first_option: 0 });
    expect(blobBytes(plan, v4?.['address_blob'] ?? 0, 16).toString('hex')).toBe('02001f907f0000010000000000000000');
    expect(v6).toMatchObject({ family: 10, address_size: 28, first_option: 2, option_count: 4 });
    expect(blobBytes(plan, v6?.['address_blob'] ?? 0, 28).toString('hex')).toBe(
      `0a001f9000000000${'00'.repeat(15)}0100000000`,
    );
  });

  test('connections come back dead, unbound sockets unbound, unix pairs as pairs', async () => {
    const inet = { 2: 8, 3: 2, 4: 1, 5: 6, 9: 2, 10: 0, 14: {} };
    open(sample, 12, { 1: 4, 2: 16, 4: { 1: 16, ...inet, 6: 1, 7: 8080, 8: 40000 } });
    open(sample, 13, { 1: 4, 2: 17, 4: { 1: 17, ...inet, 6: 7, 7: 0, 8: 0 } });
    open(sample, 14, { 1: 5, 2: 18, 16: { 1: 18, 2: 900, 3: 1, 4: 1, 5: 2, 8: 901, 11: '' } });
    open(sample, 15, { 1: 5, 2: 19, 16: { 1: 19, 2: 901, 3: 1, 4: 1, 5: 2, 8: 900, 11: '' } });
    open(sample, 16, { 1: 5, 2: 20, 16: { 1: 20, 2: 902, 3: 1, 4: 1, 5: 2, 8: 0, 11: '', 12: 3 } });
    expect(await fds()).toMatchObject([
      { fd: 12, kind: FD.DEAD },
      { fd: 13, kind: FD.SOCKET, a: 0 },
      { fd: 14, kind: FD.UNIX_PAIR, a: 15, b: 1, c: 2 },
      { fd: 16, kind: FD.DEAD },
    ]);
  });
});

function readFrame(plan: Buffer, address: number) {
  const base = readHeader(plan)['map_address'] ?? 0;
  const at = address - base;
  return {
    flags: plan.readBigUInt64LE(at),
    ax: plan.readBigUInt64LE(at + 40 + 13 * 8),
    ip: plan.readBigUInt64LE(at + 40 + 16 * 8),
    fp: Number(plan.readBigUInt64LE(at + 40 + 184)) - base,
    mask: plan.readBigUInt64LE(at + 40 + 256),
  };
}
