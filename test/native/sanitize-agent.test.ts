/** What libcrac takes apart (HotSpot's tables, the control channel, /etc/passwd, the heap) under AddressSanitizer and UBSan. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HOMES } from './host-jvm.ts';

const repo = new URL('../..', import.meta.url).pathname;
const work = mkdtempSync(join(tmpdir(), 'sanitize-agent-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

test('good and damaged input', () => {
  const tests = readdirSync(join(repo, 'test/native/agent')).filter((name) => name.endsWith('.c'));
  const flags =
    '-std=gnu11 -g -O1 -Wall -Wextra -Werror -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all';
  const program = join(work, 'agent');
  const build = spawnSync('gcc', [
    ...flags.split(' '),
    ...['include', 'include/linux'].map((folder) => `-I${join(HOMES[17], folder)}`),
    ...[
      '-o',
      program,
      ...['vm_structs.c', 'heap_search.c', 'thread.c'].map((name) => join(repo, 'native/agent', name)),
    ],
    ...tests.map((name) => join(repo, 'test/native/agent', name)),
  ]);
  expect(`${build.stderr}`).toBe('');
  const { status, stdout, stderr } = spawnSync(program, { encoding: 'utf8' });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'all done\n', stderr: '' });
}, 60_000);
