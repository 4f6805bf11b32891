import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const NODE = process.execPath;
/** Longer than any machine takes to start node. */
const DELAY_MS = 1500;
let dir: string;
let probe: string;

beforeAll(async () => {
  dir = await mkdtemp('/tmp/crac-build-probe-');
  probe = join(dir, 'probe');
  execFileSync('make', ['-s', '-C', 'native', `OUT=${dir}`, probe]);
}, 60_000);
afterAll(() => rm(dir, { recursive: true, force: true }));

const measure = async (flags: readonly string[], ...command: readonly string[]) =>
  JSON.parse((await run(probe, ['measure', ...flags, '--', ...command])).stdout);

/** A server that listens after `delayMs`, answers after 100 ms more, and tells about its surroundings. */
const server = (delayMs: number) => `
  const answer = (request, response) => setTimeout(() => response.end(JSON.stringify({
    path: request.url, pid: process.pid, environment: process.env,
    interfaces: Object.keys(require('os').networkInterfaces()),
  })), 100);
  setTimeout(() => require('http').createServer(answer).listen(8080, '127.0.0.1'), ${delayMs});
  console.log('started');`;

test('times the first response from the execve, and tells status, body and memory', async () => {
  const log = join(dir, 'log');
  const flags = ['--env', 'A=1', '--log', log, '8080', '/some/path?x=1'];
  const response = await measure(flags, NODE, '-e', server(DELAY_MS));
  expect(response.status).toBe(200);
  expect(JSON.parse(response.body)).toEqual({
    path: '/some/path?x=1',
    pid: 1,
    environment: { A: '1' },
    interfaces: ['lo'],
  });
  expect(response.connectNs).toBeGreaterThan(DELAY_MS * 1e6);
  expect(response.firstByteNs - response.connectNs).toBeGreaterThan(95e6);
  expect(response.firstByteNs).toBeLessThan(20e9);
  expect(response.rssBytes).toBeGreaterThan(20e6);
  expect(await readFile(log, 'utf8')).toBe('started\n');
});

test('kills what the command has started, and nothing is left', async () => {
  const mark = `probe-test-${process.pid}`;
  const child = `require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000) // ${mark}']);`;
  await measure(['8080', '/'], NODE, '-e', child + server(0));
  const processes = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' });
  expect(processes.split('\n').filter((line) => line.includes(mark) && !line.startsWith('ps'))).toEqual([]);
});

test('takes the largest process of the tree as the app', async () => {
  const child = `require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(`global.big = Buffer.alloc(200e6, 1);${server(0)}`)}]);`;
  const response = await measure(['8080', '/'], NODE, '-e', child);
  expect(response.rssBytes).toBeGreaterThan(200e6);
});

test.each([
  ['a command that ends', ['8080', '/', '--', '/bin/sh', '-c', 'exit 7'], 'exit code 7 before it answered'],
  [
    'a command that does not answer',
    ['--timeout', '300', '8080', '/', '--', '/bin/sleep', '60'],
    'did not answer within 300 ms',
  ],
  ['a command that is not there', ['8080', '/', '--', '/no/such/program'], '/no/such/program: No such file'],
  ['wrong usage', ['--chroot', '8080', '/', '--', '/bin/true'], '--chroot: needs --root'],
])('%s is an error', async (_name, args, message) => {
  const failure = await run(probe, ['measure', ...args]).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 125, stdout: '', stderr: expect.stringContaining(message) });
});

test('isolate becomes the command, with loopback alone', async () => {
  const script = `console.log(process.pid, Object.keys(require('os').networkInterfaces()).join())`;
  const child = run(probe, ['isolate', '--', NODE, '-e', script]);
  expect((await child).stdout).toBe(`${child.child.pid} lo\n`);
});
