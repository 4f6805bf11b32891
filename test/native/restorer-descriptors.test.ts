/** Descriptors that cannot be made as the plan wants them: the reason names the object, and the app starts cold. */
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { type Blob, constant, type Fields, numbers, type Sections } from './plan-maker.ts';
import { launch, makeState, setUpRestorer, work } from './restorer-setup.ts';

setUpRestorer('restore');

const NONE = constant('CRAC_NONE');
const kind = (name: string): bigint => constant(`CRAC_FD_${name}`);
const inet = (...address: readonly number[]): Buffer =>
  Buffer.from([2, 0, 0, 80, ...address, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
const unixPath = (path: string): Buffer => Buffer.from(`\x01\0${path}\0\0`);

/** One socket at descriptor 5; `address` ends with the NUL that does not count. */
function socket(blob: Blob, more: Fields, address?: Buffer, name = 'port 80'): Partial<Sections> {
  const bound =
    address === undefined
      ? {}
      : { address_blob: blob.add(address), address_size: address.length - 1, file_mode: 0o777 };
  return {
    fd: [{ fd: 5, kind: kind('SOCKET'), path_blob: blob.text(name) }],
    epoll: [],
    socket: [{ family: 2, type: 1, backlog: NONE, ...bound, ...more }],
    sockopt: [],
  };
}

const pair = (blob: Blob, queue: Buffer): Partial<Sections> => ({
  fd: [{ fd: 5, kind: kind('UNIX_PAIR'), a: 6, b: 0, c: 0 }],
  epoll: [],
  socket: [
    { family: 1, type: 1, backlog: NONE, queue_blob: blob.add(queue), queue_size: queue.length, packet_count: 1 },
  ],
});

const CASES: Readonly<Record<string, readonly [reason: RegExp, sections: (blob: Blob) => Partial<Sections>]>> = {
  'a socket that the plan does not have': [
    /plan\.bin is damaged \(FDS 0: socket\)/,
    (blob) => ({ ...socket(blob, {}), socket: [] }),
  ],
  'an address that does not end': [
    /plan\.bin is damaged \(SOCKETS 0: address\)/,
    (blob) => socket(blob, { address_size: 4 }, inet(127, 0, 0, 1)),
  ],
  'a mode that is none': [
    /plan\.bin is damaged \(SOCKETS 0: file_mode\)/,
    (blob) => socket(blob, { file_mode: 0x80000000 }),
  ],
  'options that the plan does not have': [
    /plan\.bin is damaged \(SOCKETS 0: options\)/,
    (blob) => socket(blob, { first_option: 1, option_count: 1 }),
  ],
  'an option that is too long': [
    /plan\.bin is damaged \(SOCKOPTS 0: size\)/,
    (blob) => ({ ...socket(blob, {}), sockopt: [{ size: 17 }] }),
  ],
  'a queue outside the plan': [
    /plan\.bin is damaged \(SOCKETS 0: queue\)/,
    (blob) => socket(blob, { queue_blob: 1, queue_size: 1 << 30 }),
  ],
  'a queue whose packets are longer than it': [
    /plan\.bin is damaged \(SOCKETS 0: queue\)/,
    (blob) => pair(blob, numbers(9)),
  ],
  'a queue that the socket does not hold': [
    /the unix socket of descriptor 5 does not hold what waits to be read: /,
    (blob) => pair(blob, Buffer.concat([numbers(4 << 20), Buffer.alloc(4 << 20)])),
  ],
  'an option that the kernel refuses': [
    /a socket refuses its option 2 of level 1: invalid argument/,
    (blob) => ({ ...socket(blob, { option_count: 1 }), sockopt: [{ level: 1, name: 2, size: 1 }] }),
  ],
  'an address of another host': [
    /port 80 of 192\.0\.2\.1 cannot be bound: address not available/,
    (blob) => socket(blob, {}, inet(192, 0, 2, 1), 'port 80 of 192.0.2.1'),
  ],
  'a family that the kernel does not know': [
    /port 80 cannot be made: address family not supported/,
    (blob) => socket(blob, { family: 99 }),
  ],
  'a socket that cannot listen': [
    /port 80 cannot be listened on: error 95/,
    (blob) => socket(blob, { type: 2, backlog: 5 }),
  ],
  'a unix socket where a file lies': [
    /unix socket .*\/taken cannot be bound: address already in use/,
    (blob) => socket(blob, { family: 1 }, unixPath(join(work, 'taken')), `unix socket ${join(work, 'taken')}`),
  ],
  'a relative unix socket without its folder': [
    /\/not\/there: no such file or directory/,
    (blob) => socket(blob, { family: 1, folder_blob: blob.text('/not/there') }, unixPath('name')),
  ],
  'a pipe with more inside than it holds': [
    /the pipe of descriptor 5 does not hold its 9000 bytes/,
    (blob) => ({
      fd: [{ fd: 5, kind: kind('PIPE'), a: 6, b: blob.add(Buffer.alloc(9000)), c: 9000, path_blob: 4096 }],
      epoll: [],
    }),
  ],
  'a timer of a clock that does not exist': [
    /a timerfd \(descriptor 5\) cannot be made: invalid argument/,
    () => ({ fd: [{ fd: 5, kind: kind('TIMERFD'), d: 99 }], epoll: [] }),
  ],
  'an epoll that is to watch a file': [
    /descriptor 6 cannot be added to epoll 5: operation not permitted/,
    (blob) => ({
      fd: [
        { fd: 5, kind: kind('EPOLL') },
        { fd: 6, kind: kind('FILE'), path_blob: blob.text('/') },
      ],
      epoll: [{ epoll_fd: 5, fd: 6, events: 1 }],
    }),
  ],
};

test.each(Object.entries(CASES))('%s', async (_, [reason, sections]) => {
  writeFileSync(join(work, 'taken'), 'a file');
  const state = await makeState({ sections });
  const { status, stderr } = launch(state.dir, { cwd: work });
  expect(stderr).toMatch(/^crac: starting cold: [^\n]+\n$/);
  expect(stderr).toMatch(reason);
  expect(status).toBe(3);
  expect(readFileSync(join(work, 'taken'), 'utf8')).toBe('a file');
});

test('a unix socket at which somebody else listens, who is not disturbed', async () => {
  const path = join(work, 'served');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const state = await makeState({
    sections: (blob) => socket(blob, { family: 1, backlog: 1 }, unixPath(path), `unix socket ${path}`),
  });
  const { status, stderr } = launch(state.dir, { cwd: work });
  expect({ status, stderr }).toEqual({
    status: 3,
    stderr: `crac: starting cold: unix socket ${path} cannot be bound: address already in use\n`,
  });
  const client = connect(path);
  await once(client, 'connect');
  client.destroy();
  server.close();
});

test('a unix socket at which somebody listens who accepts nobody', async () => {
  const path = join(work, 'crowded');
  const state = await makeState({
    sections: (blob) => socket(blob, { family: 1, type: 1, backlog: 1 }, unixPath(path), `unix socket ${path}`),
  });
  const crowd = `import socket, subprocess, sys
server = socket.socket(socket.AF_UNIX); server.bind("${path}"); server.listen(0)
client = socket.socket(socket.AF_UNIX); client.connect("${path}")
sys.exit(subprocess.run(sys.argv[1:]).returncode)`;
  const { status, stderr } = launch(state.dir, { cwd: work, prefix: ['python3', '-c', crowd] });
  expect({ status, stderr }).toEqual({
    status: 3,
    stderr: `crac: starting cold: unix socket ${path} cannot be bound: address already in use\n`,
  });
});

test('the files of unix sockets are removed when the app starts cold after all', async () => {
  const [absolute, relative] = [join(work, 'absolute'), join(work, 'relative')];
  const state = await makeState({
    sections: (blob) => {
      const bind = (address: Buffer) => ({
        ...{ family: 1, type: 1, backlog: 5, file_mode: 0o700 },
        ...{ address_blob: blob.add(address), address_size: address.length - 1 },
      });
      return {
        fd: [
          { fd: 5, kind: kind('SOCKET'), a: 0, path_blob: blob.text(absolute) },
          { fd: 6, kind: kind('SOCKET'), a: 1, path_blob: blob.text(relative) },
          { fd: 7, kind: kind('FILE'), path_blob: blob.text('/not/there') },
        ],
        epoll: [],
        socket: [bind(unixPath(absolute)), { ...bind(unixPath('relative')), folder_blob: blob.text(work) }],
      };
    },
  });
  const { stderr } = launch(state.dir, { cwd: '/' });
  expect(stderr).toBe('crac: starting cold: /not/there: no such file or directory\n');
  expect([existsSync(absolute), existsSync(relative)]).toEqual([false, false]);
});

test('an epoll that watches standard input does without where the container gives a file', async () => {
  const state = await makeState({
    sections: () => ({
      fd: [
        { fd: 0, kind: kind('INHERIT') },
        { fd: 5, kind: kind('EPOLL') },
      ],
      epoll: [{ epoll_fd: 5, fd: 0, events: 1 }],
    }),
  });
  const env = { CRAC_RESTORE: 'require' };
  const { status, stderr } = launch(state.dir, { env, prefix: ['sh', '-c', 'exec "$@" < /dev/null', 'sh'] });
  expect({ status, stderr }).toEqual({ status: 42, stderr: '' });
});
