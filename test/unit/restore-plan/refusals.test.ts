import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isCracBuildError } from '../../../src/errors.ts';
import {
  anonymous,
  compileSample,
  HEAP,
  LIBRARY,
  makeSample,
  open,
  PID,
  regular,
  type Sample,
  VDSO,
} from './sample-dump.ts';

const PAGE = 4096;
const SHARED = 0x60000000;
const sharedFile = (id: number, more = {}) => ({
  1: SHARED,
  2: SHARED + PAGE,
  3: 0,
  4: id,
  5: 3,
  6: 1,
  7: 0x81,
  10: 2,
  ...more,
});
const image = (sample: Sample, name: string) => sample.images.set(name, { magic: 1, records: [{ 1: 1 }] });
const child = (sample: Sample, pid: number, state: number) =>
  sample.images.set(`core-${pid}`, { magic: 0x55053847, records: [{ 1: 1, 3: { 1: state, 6: 'git' } }] });
const memfd = (sample: Sample, name: string) => {
  sample.vmas.push(sharedFile(60, { 7: 0x4081 }));
  sample.files.push({ 1: 18, 2: 60, 20: { 1: 60, 5: 7 } });
  sample.images.set('memfd', { magic: 0x48453499, records: [{ 1: name, 7: 7 }] });
};
const deleted = (sample: Sample, id: number) =>
  sample.images.set('remap-fpath', { magic: 0x59133954, records: [{ 1: id }] });
const facts = (sample: Sample, text: string) => writeFileSync(join(sample.dir, 'descriptors.txt'), text);
const unix = (more: object) => ({ 1: 5, 2: 50, 16: { 1: 50, 2: 900, 3: 1, 4: 1, 5: 2, 8: 901, 11: '', ...more } });
const udp = (more: object) => ({ 1: 4, 2: 51, 4: { 1: 51, 2: 8, 3: 2, 4: 2, 5: 17, 6: 7, 7: 0, 8: 0, 9: 2, ...more } });

/** What is done to the smallest dump, and what must be said about it. */
const REFUSED: Readonly<Record<string, readonly [(sample: Sample) => void, RegExp]>> = {
  'a second process': [
    (s) => s.processes.push({ 1: 200, 2: PID, 5: [200] }) && child(s, 200, 1),
    /child process 200 \(git\): only one process/,
  ],
  'a zombie': [
    (s) => s.processes.push({ 1: 200, 2: PID, 5: [200] }) && child(s, 200, 2),
    /child process 200 \(git\): it has ended/,
  ],
  'a process that has ended': [(s) => Object.assign(s.task, { 1: 2 }), /process: it is not alive/],
  'a changed personality': [(s) => Object.assign(s.task, { 3: 8 }), /personality was changed/],
  'memory protection keys': [
    (s) => Object.assign(s.fp, { 13: { 1: 0x203, 8: [0x55555550] } }),
    /thread 100 \(java\): it uses memory protection keys/,
  ],
  'registers that are not known': [
    (s) => Object.assign(s.fp, { 13: { 1: 0x40003 } }),
    /it uses registers that are not known \(XSAVE 0x40000\)/,
  ],
  'a field of the process that is not known': [
    (s) => Object.assign(s.task, { 99: 1 }),
    /CRIU's image \(core, the process\): its field 99 is not known/,
  ],
  'a field of a thread that is not known': [(s) => Object.assign(s.thread, { 98: 1 }), /a thread\): its field 98/],
  'a field of an area that is not known': [
    (s) => s.vmas.push(anonymous(SHARED, 1, { 97: 1 })),
    /an area of memory\): its field 97/,
  ],
  'registers of a kind that is not known': [(s) => Object.assign(s.fp, { 96: 1 }), /registers\): its field 96/],
  'a device that is mapped': [
    (s) => s.files.splice(0, 1, regular(1, '/dev/zero', { 10: 0o020666 })),
    /mapped file \/dev\/zero: it is a device/,
  ],
  'a namespace': [(s) => image(s, 'utsns-9'), /namespaces: .*do not call unshare/],
  'an image that is not known': [(s) => image(s, 'novelty'), /novelty.img: .*does not know this state/],
  'a pending signal of the process': [
    (s) => Object.assign(s.task, { 10: { 1: [{ 1: 'x' }] } }),
    /process: a signal is pending/,
  ],
  'a pending signal of a thread': [
    (s) => Object.assign(s.thread, { 9: { 1: [{ 1: 'x' }] } }),
    /thread 100 \(java\): a signal is pending/,
  ],
  'an interval timer': [(s) => Object.assign(s.task, { 7: { 1: { 1: 0, 3: 1 }, 2: {}, 3: {} } }), /setitimer/],
  'a POSIX timer': [(s) => Object.assign(s.task, { 7: { 1: {}, 2: {}, 3: {}, 4: [{ 1: 1 }] } }), /timer_create/],
  'changed scheduling': [(s) => Object.assign(s.thread, { 4: 1 }), /its scheduling was changed/],
  'a changed nice value': [(s) => Object.assign(s.thread, { 3: 10 }), /its scheduling was changed/],
  'a seccomp filter': [(s) => Object.assign(s.thread, { 11: 2 }), /seccomp filter/],
  'a parent-death signal': [(s) => Object.assign(s.thread, { 8: 9 }), /parent-death/],
  'a restartable sequence': [
    (s) => Object.assign(s.thread, { 15: { 1: 1, 2: 32, 3: 1, 4: 0x1000 } }),
    /restartable sequence/,
  ],
  'a PI futex': [(s) => Object.assign(s.registers, { 14: 0x86 }), /priority-inheritance/],
  'a GS base': [(s) => Object.assign(s.registers, { 23: 0x1000 }), /GS base/],
  '32-bit code': [(s) => Object.assign(s.registers, { 28: 2 }), /64-bit/],
  'an instruction pointer in the vdso': [
    (s) => Object.assign(s.registers, { 17: VDSO + 16 }),
    /vdso.*Take the checkpoint again/,
  ],
  chroot: [(s) => s.files.splice(2, 1, regular(91, '/jail', { 10: 0o040755 })), /chroot/],
  'memory of a memfd': [(s) => memfd(s, 'cache'), /memfd \(cache\)\. Unmap it/],
  "the Z collector's heap": [(s) => memfd(s, 'java_heap'), /memfd \(java_heap\)\. .*ZGC/],
  'shared anonymous memory': [(s) => memfd(s, '/dev/zero (deleted)'), /shared memory without a file/],
  'shared anonymous memory of older CRIU': [
    (s) => s.vmas.push(anonymous(SHARED, 1, { 6: 0x21, 7: 0x101 })),
    /shared memory without a file/,
  ],
  'System V memory': [(s) => s.vmas.push(anonymous(SHARED, 1, { 6: 1, 7: 0x501 })), /System V/],
  'an AIO ring': [(s) => s.vmas.push(anonymous(SHARED, 1, { 7: 0x2001 })), /kernel AIO/],
  'a shadow stack': [(s) => s.vmas.push(anonymous(SHARED, 1, { 7: 0x8201 })), /shadow stack/],
  hugetlb: [(s) => s.vmas.push(anonymous(SHARED, 1, { 6: 0x40022 })), /UseLargePages/],
  'memory of an unknown kind': [
    (s) => s.vmas.push(anonymous(SHARED, 1, { 7: 0x4000201 })),
    /its kind is unknown \(status 0x4000201\)/,
  ],
  'memory with unknown flags': [
    (s) => s.vmas.push(anonymous(SHARED, 1, { 6: 0x80022 })),
    /flags are unknown \(0x80022\)/,
  ],
  'memory with unknown advice': [
    (s) => s.vmas.push(anonymous(SHARED, 1, { 9: 1 << 20 })),
    /advice is unknown \(0x100000\)/,
  ],
  'memory where the restorer lies': [(s) => s.vmas.push(anonymous(0x200000001000, 1)), /where the restorer lies/],
  'shared performance data': [
    (s) => s.vmas.push(sharedFile(60)) && s.files.push(regular(60, '/tmp/hsperfdata_app/1', { 8: PAGE })),
    /PerfDisableSharedMem/,
  ],
  'a writable shared file': [
    (s) => s.vmas.push(sharedFile(60)) && s.files.push(regular(60, '/data/map', { 8: PAGE })),
    /\(\/data\/map\): it is a writable shared file mapping/,
  ],
  'a mapped file that is gone': [(s) => s.root.clear(), /mapped file \/lib\/library: it does not exist/],
  'a mapped file of another size': [
    (s) => s.files.splice(0, 1, regular(1, '/lib/library', { 8: PAGE })),
    /had 4096 bytes when it was mapped and has 8192 now/,
  ],
  'a mapped file of the build tools': [
    (s) => s.files.splice(0, 1, regular(1, '/opt/crac-build/toolbox/lib', { 8: PAGE })),
    /belongs to the build tools/,
  ],
  'a deleted file': [
    (s) => deleted(s, 61) && open(s, 4, regular(61, '/tmp/gone')),
    /descriptor 4 \(\/tmp\/gone\): it was deleted/,
  ],
  'a mapped file that was deleted': [(s) => deleted(s, 1), /mapped file \/lib\/library: it was deleted or replaced/],
  'a deleted current folder': [(s) => deleted(s, 90), /process: its current folder was deleted/],
  'a file of the kernel': [
    (s) => open(s, 4, regular(61, '/proc/1/stat')),
    /descriptor 4 \(\/proc\/1\/stat\): it is a file that the kernel makes/,
  ],
  'a file lock': [(s) => image(s, 'filelocks'), /file locks/],
  'an open file that is gone': [
    (s) => open(s, 4, regular(61, '/gone', { 8: 1 })),
    /descriptor 4 \(\/gone\): it does not exist any more/,
  ],
  'a file open for writing': [
    (s) => open(s, 4, regular(61, '/app.log', { 2: 0o2001 })),
    /descriptor 4 \(\/app.log\): it is open for writing/,
  ],
  'a device': [(s) => open(s, 4, regular(61, '/dev/fuse', { 10: 0o020666 })), /it is a device/],
  ...Object.fromEntries(
    Object.entries({
      3: 'FIFO',
      8: 'inotify',
      9: 'signalfd',
      10: 'packet socket',
      11: 'terminal',
      12: 'fanotify',
      13: 'netlink socket',
      14: 'namespace',
      15: 'tun device',
      18: 'memfd',
      19: 'BPF map',
      20: 'pidfd',
      77: 'unknown type 77',
    }).map(([type, name]): [string, readonly [(sample: Sample) => void, RegExp]] => [
      `descriptor type ${name}`,
      [(s) => open(s, 4, { 1: Number(type), 2: 62 }), new RegExp(`descriptor 4 \\(${name}\\): it cannot be restored`)],
    ]),
  ),
  'a descriptor that the dump does not explain': [
    (s) => s.fdinfo.push({ 1: 63, 2: 0, 3: 1, 4: 4 }),
    /does not say what it is/,
  ],
  'asynchronous I/O': [(s) => open(s, 4, regular(61, '/dev/null', { 5: { 3: 0, 5: 100 }, 10: 0o020666 })), /F_SETOWN/],
  'a pipe to standard output': [
    (s) => {
      open(s, 1, { 1: 2, 2: 64, 18: { 1: 64, 2: 7, 3: 1 } });
      open(s, 4, { 1: 2, 2: 65, 18: { 1: 65, 2: 7, 3: 0 } });
    },
    /descriptor 4 \(pipe\): its other end is descriptor 1/,
  ],
  'a pipe that was opened again': [
    (s) => {
      for (const id of [64, 65]) open(s, id, { 1: 2, 2: id, 18: { 1: id, 2: 7, 3: 1 } });
    },
    /descriptor 64 \(pipe\): it was opened more than once/,
  ],
  'a timerfd that waits for a time of day': [
    (s) => open(s, 4, { 1: 17, 2: 64, 12: { 1: 64, 2: 2, 4: 0, 6: 1, 7: 5 } }),
    /descriptor 4 \(timerfd\): it waits for a time of day/,
  ],
  'a timerfd that wakes the machine': [
    (s) => open(s, 4, { 1: 17, 2: 64, 12: { 1: 64, 2: 2, 4: 9 } }),
    /descriptor 4 \(timerfd\): its clock \(9\) needs CAP_WAKE_ALARM/,
  ],
  'an eventfd that sends signals': [(s) => open(s, 4, { 1: 6, 2: 64, 8: { 1: 64, 2: 2, 3: { 5: 100 } } }), /F_SETOWN/],
  'a descriptor in asynchronous mode': [(s) => open(s, 4, { 1: 2, 2: 64, 18: { 1: 64, 2: 7, 3: 0o20000 } }), /O_ASYNC/],
  'a unix socket to outside': [(s) => open(s, 4, unix({})), /its peer is outside/],
  'a unix socket whose file was deleted': [
    (s) => open(s, 4, unix({ 4: 10, 8: 0, 11: '/run/x\0', 15: true })),
    /unix socket \/run\/x\): the file that it was bound to was deleted/,
  ],
  'a unix connection that waits to be accepted': [
    (s) => {
      open(s, 4, unix({}));
      open(s, 5, { 1: 5, 2: 52, 16: { 1: 52, 2: 901, 3: 1, 4: 10, 5: 2, 8: 0, 11: '\0name' } });
    },
    /descriptor 4 \(unix socket\): its connection has not been accepted yet/,
  ],
  'a datagram socket that sends to another one': [
    (s) => {
      open(s, 4, unix({ 3: 2 }));
      open(s, 5, { 1: 5, 2: 52, 16: { 1: 52, 2: 901, 3: 2, 4: 7, 5: 2, 8: 0, 11: '/run/log\0' } });
    },
    /descriptor 4 .*: it sends to descriptor 5, which does not send to it/,
  ],
  'unread datagrams': [
    (s) => {
      open(s, 4, unix({ 3: 2, 4: 7, 8: 0, 11: '/run/log\0' }));
      s.images.set('sk-queues', { magic: 0x56264026, records: [{ 1: 50, 2: 3 }, Buffer.from('abc')] });
    },
    /descriptor 4 \(unix socket \/run\/log\): it holds unread data/,
  ],
  'a descriptor on its way': [
    (s) => {
      open(s, 4, unix({}));
      s.images.set('sk-queues', {
        magic: 0x56264026,
        records: [{ 1: 50, 2: 1, 4: [{ 1: 1, 2: 7 }] }, Buffer.from('a')],
      });
    },
    /a descriptor that was sent to it waits to be read/,
  ],
  'connected UDP': [
    (s) => open(s, 4, udp({ 6: 1, 7: 40, 8: 53 })),
    /UDP socket, port 40\): it is connected to port 53/,
  ],
  'a raw socket': [
    (s) => open(s, 4, udp({ 4: 3, 5: 1 })),
    /raw or ICMP socket, port 0\): it is of a kind \(type 3, protocol 1\)/,
  ],
  'a socket of one network interface': [
    (s) => open(s, 4, udp({ 14: { 15: 'eth0' } })),
    /bound to the network interface eth0/,
  ],
  'a link-local address': [(s) => open(s, 4, udp({ 17: 'eth0' })), /one of the network interface eth0 alone/],
  'a socket that marks its packets': [(s) => open(s, 4, udp({ 14: { 10: 7 } })), /SO_MARK/],
  'a member of a multicast group': [
    (s) => open(s, 4, udp({})) ?? facts(s, 'member 4 239.1.2.3\n'),
    /descriptor 4 \(UDP socket, port 0\): it is a member of the multicast group 239.1.2.3/,
  ],
  'a transparent socket': [(s) => open(s, 4, udp({})) ?? facts(s, 'option 4 0 19 01000000\n'), /IP_TRANSPARENT/],
  'a socket that polls its device': [
    (s) => open(s, 4, udp({})) ?? facts(s, 'option 4 1 46 32000000\n'),
    /SO_BUSY_POLL/,
  ],
  'a socket of high priority': [(s) => open(s, 4, udp({ 14: { 8: 7 } })), /its priority is above 6/],
  'a packet filter': [(s) => open(s, 4, udp({ 14: { 16: [5n] } })), /SO_ATTACH_FILTER/],
  'an epoll that watches a file under two numbers': [
    (s) => {
      open(s, 5, { 1: 6, 2: 66, 8: { 1: 66, 2: 2, 4: 0 } });
      open(s, 4, {
        1: 7,
        2: 65,
        9: {
          1: 65,
          2: 0,
          4: [
            { 1: 65, 2: 5, 3: 1 },
            { 1: 65, 2: 5, 3: 1 },
          ],
        },
      });
    },
    /descriptor 4 \(epoll\): it watches descriptor 5 twice/,
  ],
  'an epoll that watches a closed descriptor': [
    (s) => open(s, 4, { 1: 7, 2: 65, 9: { 1: 65, 2: 0, 4: [{ 1: 65, 2: 99, 3: 1, 4: 1 }] } }),
    /descriptor 4 \(epoll\): it watches descriptor 99/,
  ],
  'an incremental dump': [
    (s) => s.images.set(`pagemap-${PID}`, { magic: 0x56084025, records: [{ 1: 1 }, { 1: HEAP, 2: 1, 4: 1 }] }),
    /incremental/,
  ],
  'a vdso without functions': [(s) => s.pages.delete(VDSO), /vdso: its functions are not in the dump/],
};

let sample: Sample;
beforeEach(() => {
  sample = makeSample();
});
afterEach(() => rmSync(sample.dir, { recursive: true, force: true }));

test.each(Object.entries(REFUSED))('%s is refused by name', async (_, [change, expected]) => {
  change(sample);
  const error = await compileSample(sample).catch((caught: unknown) => caught);
  if (!isCracBuildError(error, 'STATE_REFUSED')) throw error;
  expect(error.details.join('\n')).toMatch(expected);
  expect(error.hint).not.toBe('');
});

test('all refusals come together', async () => {
  open(sample, 4, regular(61, '/app.log', { 2: 1 }));
  Object.assign(sample.registers, { 23: 1 });
  sample.vmas.push(sharedFile(1, { 1: LIBRARY + 16 * PAGE, 2: LIBRARY + 17 * PAGE }));
  const error = await compileSample(sample).catch((caught: unknown) => caught);
  if (!isCracBuildError(error, 'STATE_REFUSED')) throw error;
  expect(error.details).toHaveLength(3);
  expect(error.message).toContain('and 2 more');
});
