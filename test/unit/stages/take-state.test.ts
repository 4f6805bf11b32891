import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import type { Container } from '../../../src/engine/engine.ts';
import { planStateRules } from '../../../src/stages/state-rules.ts';
import { takeState } from '../../../src/stages/take-state.ts';
import { samplePlan } from '../../support/sample-plan.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'take-state-test-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

/** A container whose app has written these files, of so many bytes; the folders that lead there have changed. */
function openContainer(
  files: Readonly<Record<string, number>>,
  folders: readonly string[] = [],
  removed: readonly string[] = [],
) {
  const root = join(dir, 'root');
  const changed = new Set<string>(folders);
  mkdirSync(root);
  for (const folder of folders) mkdirSync(join(root, folder), { recursive: true });
  for (const [path, size] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), Buffer.alloc(size, 'x'));
    for (let at = path; at !== '/'; at = dirname(at)) changed.add(at);
  }
  const container: Pick<Container, 'listChanges' | 'copyOut'> = {
    listChanges: async () => ({ changed: [...changed], removed }),
    copyOut: async (path) =>
      Readable.from(execFileSync('tar', ['-c', '-C', dirname(join(root, path)), path.split('/').at(-1) ?? ''])),
  };
  return container as Container;
}

async function take(container: Container, maxBytes = 1e6, held: readonly string[] = []) {
  const rules = planStateRules(samplePlan(), new Set(held));
  const taken = await takeState(container, { workDir: dir, rules, maxBytes }, new AbortController().signal);
  const names = taken.stateTar === '' ? '' : execFileSync('tar', ['-tf', taken.stateTar], { encoding: 'utf8' });
  return {
    ...taken,
    names: names
      .trim()
      .split('\n')
      .filter((name) => name !== ''),
  };
}

test('takes what the app wrote and tells what it leaves out', async () => {
  const container = openContainer({
    '/app/data/a': 10,
    '/app/data/b': 30,
    '/app/.attach_pid1': 0,
    '/app/.cache/c': 7,
    '/tmp/t.tmp': 5,
    '/tmp/held.so': 6,
    '/tmp/hsperfdata_app/1': 8,
    '/tmp/tomcat-docbase.8080.1/index.html': 3,
  });
  const { names, state } = await take(container, 1e6, ['/tmp/held.so']);
  expect(names.map((name) => name.replace(/\/$/, ''))).toEqual([
    ...['app', 'app/.cache', 'app/data', 'app/data/a', 'app/data/b'],
    ...['tmp', 'tmp/held.so', 'tmp/tomcat-docbase.8080.1', 'tmp/tomcat-docbase.8080.1/index.html'],
  ]);
  expect(state).toEqual({
    files: [
      { path: '/app/data/b', sizeBytes: 30 },
      { path: '/app/data/a', sizeBytes: 10 },
      { path: '/tmp/held.so', sizeBytes: 6 },
      { path: '/tmp/tomcat-docbase.8080.1/index.html', sizeBytes: 3 },
    ],
    sizeBytes: 49,
    removed: [],
    leftOut: [
      { path: '/tmp/hsperfdata_app/1', sizeBytes: 8, why: 'jvm' },
      { path: '/app/.cache/c', sizeBytes: 7, why: 'cache' },
      { path: '/tmp/t.tmp', sizeBytes: 5, why: 'temporary' },
      { path: '/app/.attach_pid1', sizeBytes: 0, why: 'jvm' },
    ],
  });
});

test('where nothing but such files was written there is no state', async () => {
  const { stateTar, state } = await take(
    openContainer({ '/tmp/t.tmp': 5, '/app/.attach_pid1': 0, '/var/tmp/x/y': 1 }, []),
  );
  // The folder x stays, as an app may count on it.
  expect(stateTar).not.toBe('');
  expect(state.files).toEqual([]);
  rmSync(join(dir, 'root'), { recursive: true });
  expect(await take(openContainer({ '/tmp/t.tmp': 5, '/app/.attach_pid1': 0 }))).toMatchObject({ stateTar: '' });
});

test('a temporary folder or a cache that the app has made is there, empty', async () => {
  const { names, state } = await take(openContainer({ '/app/.cache/c': 7, '/var/tmp/t': 1 }));
  expect(names).toEqual(['app/', 'app/.cache/']);
  expect(state.files).toEqual([]);
});

test('empty folders and removed files are part of it', async () => {
  const { names, state } = await take(openContainer({}, ['/etc', '/tmp/tomcat.8080.1/work'], ['/etc/gone']));
  expect(names).toContain('tmp/tomcat.8080.1/work/');
  expect(names).toContain('etc/.wh.gone');
  expect(state.removed).toEqual(['/etc/gone']);
});

test('more than is allowed is refused with the largest files, and not copied', async () => {
  const files = Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`/app/data/${at}`, 1000 * (at + 1)]));
  const refused = take(openContainer({ ...files, '/tmp/huge': 500_000 }), 20_000);
  await expect(refused).rejects.toMatchObject({
    code: 'STATE_REFUSED',
    message: expect.stringContaining('has written 78.0 kB in 12 files before its checkpoint, more than the 20.0 kB'),
    hint: expect.stringContaining('checkpoint.maxState'),
  });
  const { details } = await refused.catch((error) => error);
  expect(details[0]).toMatch(/12\.0 kB {2}\/app\/data\/11$/);
  expect(details).toHaveLength(11);
  expect(details.at(-1)).toBe('and 2 more');
  const copied = execFileSync('du', ['-sb', '--apparent-size', join(dir, 'state')], { encoding: 'utf8' });
  expect(Number.parseInt(copied, 10) - statSync(join(dir, 'state')).size).toBeLessThanOrEqual(20_000);
});
