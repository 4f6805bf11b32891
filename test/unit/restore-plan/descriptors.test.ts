import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeDescriptor } from '../../../src/restore-plan/describe-descriptor.ts';
import { FD, NONE } from '../../../src/restore-plan/format.ts';
import { parsePlan } from '../../../src/restore-plan/read-plan.ts';
import type { Fields } from './criu-encoder.ts';
import { blobBytes, blobText, readSection, sectionStart } from './plan-reader.ts';
import { compileSample, makeSample, open, type Sample } from './sample-dump.ts';

const STREAM = 1;
const DATAGRAM = 2;
const PACKETS = 5;
const LISTENING = 10;
const CLOSED = 7;
const ESTABLISHED = 1;

let sample: Sample;
beforeEach(() => {
  sample = makeSample();
});
afterEach(() => rmSync(sample.dir, { recursive: true, force: true }));

async function compiled() {
  const { plan } = await compileSample(sample);
  const options = readSection(plan, 'CRAC_SOCKOPTS', 'crac_sockopt');
  return {
    plan,
    fds: readSection(plan, 'CRAC_FDS', 'crac_fd').map((fd) => ({ ...fd, name: blobText(plan, fd['path_blob'] ?? 0) })),
    sockets: readSection(plan, 'CRAC_SOCKETS', 'crac_socket').map((socket) => ({
      ...socket,
      address: blobBytes(plan, socket['address_blob'] ?? 0, socket['address_size'] ?? 0).toString('latin1'),
      folder: blobText(plan, socket['folder_blob'] ?? 0),
      queue: blobBytes(plan, socket['queue_blob'] ?? 0, socket['queue_size'] ?? 0).toString('latin1'),
      options: options
        .slice(socket['first_option'], (socket['first_option'] ?? 0) + (socket['option_count'] ?? 0))
        .map(({ level, name }) => `${level}.${name}`),
    })),
    values: optionValues(plan, options.length),
  };
}

/** crac_sockopt: level, name, size, reserved, value[16]. */
function optionValues(plan: Buffer, count: number): number[][] {
  const golden = { recordBytes: 32, sizeAt: 8, valueAt: 16 };
  const start = sectionStart(plan, 'CRAC_SOCKOPTS');
  return Array.from({ length: count }, (_, index) => {
    const at = start + index * golden.recordBytes;
    const size = plan.readUInt32LE(at + golden.sizeAt);
    return Array.from({ length: size / 4 }, (__, word) => plan.readInt32LE(at + golden.valueAt + word * 4));
  });
}

function unix(id: number, more: Fields): Fields {
  return { 1: 5, 2: id, 16: { 1: id, 2: id + 900, 3: STREAM, 4: CLOSED, 5: 2, 8: 0, 11: '', ...more } };
}
function inet(id: number, more: Fields): Fields {
  return {
    1: 4,
    2: id,
    4: { 1: id, 2: id, 3: 2, 4: STREAM, 5: 6, 6: CLOSED, 7: 0, 8: 0, 9: 2, 10: 0, 14: {}, ...more },
  };
}
const pipe = (id: number, flags: number): Fields => ({ 1: 2, 2: id, 18: { 1: id, 2: 500, 3: flags } });
const timerfd = (id: number, more: Fields): Fields => ({ 1: 17, 2: id, 12: { 1: id, 2: 0o4002, 4: 1, ...more } });
const waiting = (...packets: readonly (readonly [id: number, text: string])[]) =>
  sample.images.set('sk-queues', {
    magic: 0x56264026,
    records: packets.flatMap(([id, text]) => [{ 1: id, 2: text.length }, Buffer.from(text)]),
  });

test('a timer that runs, one that has stopped, and one whose expirations were not read', async () => {
  open(sample, 4, timerfd(61, { 7: 2n, 8: 5n, 9: 1n, 10: 0n }));
  open(sample, 5, timerfd(62, {}), 1);
  open(sample, 6, timerfd(63, { 5: 3n, 9: 0n, 10: 700n, 4: 7 }));
  const { fds } = await compiled();
  expect(fds).toMatchObject([
    { fd: 4, kind: FD.TIMERFD, flags: 0o4002, a: 2_000_000_005, b: 1_000_000_000, c: 0, d: 1 },
    { fd: 5, kind: FD.TIMERFD, fd_flags: 1, a: 0, b: 0 },
    { fd: 6, kind: FD.TIMERFD, a: 700, b: 700, c: 3, d: 7 },
  ]);
});

test('of a pipe with one end the other is closed', async () => {
  open(sample, 4, pipe(61, 0));
  sample.images.set('pipes-data', { magic: 0x56453709, records: [{ 1: 500, 2: 3, 3: 4096 }, Buffer.from('end')] });
  expect((await compiled()).fds).toMatchObject([{ fd: 4, kind: FD.PIPE, a: NONE, c: 3, path_blob: 4096 }]);
  sample = makeSample();
  open(sample, 4, pipe(61, 0o4001), 1);
  expect((await compiled()).fds).toMatchObject([{ fd: NONE, kind: FD.PIPE, a: 4, d: Number((1n << 32n) | 0o4001n) }]);
});

test('what was opened as /dev/stdout is a copy of standard output', async () => {
  open(sample, 1, pipe(61, 1));
  open(sample, 5, pipe(62, 1), 1);
  expect((await compiled()).fds).toMatchObject([
    { fd: 1, kind: FD.INHERIT },
    { fd: 5, kind: FD.DUP, a: 1, fd_flags: 1 },
  ]);
});

test('epolls may watch epolls', async () => {
  open(sample, 4, { 1: 7, 2: 61, 9: { 1: 61, 2: 2, 4: [{ 1: 61, 2: 5, 3: 0x40000001, 4: 9n }] } });
  open(sample, 5, { 1: 7, 2: 62, 9: { 1: 62, 2: 2 } }, 1);
  const { plan } = await compileSample(sample);
  expect(readSection(plan, 'CRAC_EPOLL', 'crac_epoll')).toMatchObject([{ epoll_fd: 4, fd: 5, events: 0x40000001 }]);
});

test('unix sockets that listen or are bound: path, relative path, abstract name, none', async () => {
  open(sample, 4, unix(61, { 4: LISTENING, 7: 128, 11: '/run/a.sock\0', 13: { 1: 0o140640 } }));
  open(sample, 5, unix(62, { 4: LISTENING, 7: 1, 11: 'b.sock\0', 14: '/work', 13: { 1: 0o140777 } }));
  open(sample, 6, unix(63, { 3: DATAGRAM, 4: ESTABLISHED, 11: '\0abstract' }));
  open(sample, 7, unix(64, { 3: PACKETS }));
  const { fds, sockets } = await compiled();
  expect(fds).toMatchObject([
    { kind: FD.SOCKET, a: 0, name: 'unix socket /run/a.sock' },
    { kind: FD.SOCKET, a: 1, name: 'unix socket b.sock' },
    { kind: FD.SOCKET, a: 2, name: 'unix socket @abstract' },
    { kind: FD.SOCKET, a: 3, name: 'unix socket' },
  ]);
  expect(sockets).toMatchObject([
    { family: 1, type: STREAM, backlog: 128, address: '\x01\0/run/a.sock\0', folder: '', file_mode: 0o640 },
    { backlog: 1, address: '\x01\0b.sock\0', folder: '/work', file_mode: 0o777 },
    { type: DATAGRAM, backlog: NONE, address: '\x01\0\0abstract', file_mode: 0 },
    { type: PACKETS, backlog: NONE, address: '' },
  ]);
});

test('a unix pair with what waits at both ends, half closed; a packet pair whose other end has gone', async () => {
  open(sample, 4, unix(61, { 4: ESTABLISHED, 8: 962, 12: 1, 11: '/run/a.sock\0' }));
  open(sample, 5, unix(62, { 4: ESTABLISHED, 8: 961, 12: 2, 10: { 25: 1, 1: 8192 } }), 1);
  open(sample, 6, unix(63, { 3: PACKETS, 4: ESTABLISHED, 8: 0, 12: 3 }));
  waiting([62, 'ab'], [61, 'x'], [62, 'cde'], [63, 'last']);
  const { fds, sockets } = await compiled();
  expect(fds).toMatchObject([
    { fd: 4, kind: FD.UNIX_PAIR, a: 5, b: 0, c: 1, d: Number((1n << 32n) | 2n) },
    { fd: 6, kind: FD.UNIX_PAIR, a: NONE, b: 2, c: 3 },
  ]);
  expect(sockets).toMatchObject([
    { address: '', packet_count: 1, queue: '\x01\0\0\0x', shutdown: 1, options: [] },
    { packet_count: 2, queue: '\x02\0\0\0ab\x03\0\0\0cde', shutdown: 2, options: ['1.7'] },
    { type: PACKETS, packet_count: 1, queue: '\x04\0\0\0last', shutdown: 0 },
    { type: PACKETS, packet_count: 0 },
  ]);
});

test('bound TCP and UDP sockets, and how they are named when they cannot be bound', async () => {
  open(sample, 4, inet(61, { 7: 80, 11: [0] }));
  open(sample, 5, inet(62, { 4: DATAGRAM, 5: 17, 7: 5353, 11: [0x0200000a] }));
  open(sample, 6, inet(63, { 4: DATAGRAM, 5: 17 }));
  open(sample, 7, inet(64, { 19: 1 }));
  const { fds, sockets } = await compiled();
  expect(fds).toMatchObject([
    { kind: FD.SOCKET, a: 0, name: 'port 80' },
    { kind: FD.SOCKET, a: 1, name: 'UDP port 5353 of 10.0.0.2' },
    { kind: FD.SOCKET, a: 2, name: 'a UDP socket' },
    { kind: FD.DEAD },
  ]);
  expect(sockets).toMatchObject([
    { type: STREAM, backlog: NONE, address: '\x02\0\0\x50\0\0\0\0\0\0\0\0\0\0\0\0' },
    { type: DATAGRAM, protocol: 17, backlog: NONE, address_size: 16 },
    { type: DATAGRAM, address_size: 0 },
  ]);
});

test('what CRIU does not tell is in the facts beside its images', async () => {
  open(sample, 4, { 1: 6, 2: 61, 8: { 1: 61, 2: 0o4002, 4: 3 } });
  open(sample, 5, inet(62, { 6: LISTENING, 7: 80, 16: { 6: 16 } }));
  const lines = ['semaphore 4', 'option 5 6 9 07000000', 'option 5 6 13 72656e6f000000000000000000000000', ''];
  writeFileSync(join(sample.dir, 'descriptors.txt'), lines.join('\n'));
  const { fds, sockets, values } = await compiled();
  expect(fds).toMatchObject([{ fd: 4, flags: 0o4003 }, { fd: 5 }]);
  expect(sockets.map(({ options }) => options)).toEqual([['6.9', '6.13', '0.1']]);
  expect(values).toEqual([[7], [0x6f6e6572, 0, 0, 0], [16]]);
});

test('options that were set are set again, and no others', async () => {
  const usual = { 1: 16384, 2: 131072, 3: 0, 4: 0, 5: 0, 6: 0, 8: 0, 9: 1, 25: 0 };
  const keep = { 3: 9, 4: 7200, 5: 75 };
  open(sample, 4, inet(61, { 6: LISTENING, 7: 80, 14: usual, 16: { 7: 64 }, 20: keep }));
  const set = { ...usual, 2: 8192, 3: 1, 4: 500_000, 7: true, 13: true, 17: true, 19: true, 23: 1, 24: 0, 25: 2 };
  const own = { 2: true, 3: 4, 4: 60, 5: 10 };
  open(sample, 5, inet(62, { 6: LISTENING, 7: 81, 14: set, 16: { 6: 16, 7: 32 }, 20: own }));
  open(sample, 6, inet(63, { 3: 10, 4: DATAGRAM, 5: 17, 14: { ...usual, 14: true, 18: true }, 16: { 5: true } }));
  const { sockets, values } = await compiled();
  const listed = ['0.1', '0.2', '1.2', '1.15', '1.5', '1.9', '1.10', '1.8', '1.13', '1.21', '6.1', '6.4', '6.5', '6.6'];
  expect(sockets.map(({ options }) => options)).toEqual([[], listed, ['41.26', '41.49', '1.6', '1.11']]);
  const linger = [1, 0];
  const half = [1, 0, 500_000, 0];
  expect(values).toEqual(
    [16, 32, 1, 1, 1, 1, 1, 4096, linger, half, 1, 60, 10, 4, 0, 1, 1, 1].map((value) =>
      typeof value === 'number' ? [value] : value,
    ),
  );
});

test('in words, as inspect prints them', async () => {
  open(sample, 4, timerfd(61, { 7: 2n, 9: 1n }), 1);
  open(sample, 5, pipe(62, 0o4001));
  open(sample, 6, inet(63, { 6: LISTENING, 7: 8080, 10: 50, 11: [0x0100007f], 14: { 7: true } }));
  open(sample, 7, unix(64, { 4: LISTENING, 7: 5, 11: '\0abstract' }));
  open(sample, 8, unix(65, { 4: ESTABLISHED, 8: 966, 12: 1 }));
  open(sample, 9, unix(66, { 4: ESTABLISHED, 8: 965, 12: 2 }));
  waiting([65, 'abc']);
  const plan = parsePlan((await compileSample(sample)).plan);
  expect(plan.sections.fd.map((fd) => describeDescriptor(fd, plan))).toEqual([
    '4 TIMERFD: clock 1, 2000000000 ns left, every 1000000000 ns, 0 expirations, nonblocking, close on exec',
    'none PIPE: read end; 5 is the write end, 0 bytes inside',
    '6 SOCKET: IPv4, stream, 127.0.0.1:8080, backlog 50, option 1.2 = 1',
    '7 SOCKET: unix, stream, @abstract, backlog 5',
    '8 UNIX_PAIR: connected with 9, unix, stream, 7 bytes in its queue, shut down 1',
  ]);
});
