import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publicUrl, readRevision } from '../../../src/plan/read-revision.ts';

test.each([
  ['https://user:token@git.example/team/app.git?key=1', 'https://git.example/team/app.git'],
  ['https://git.example:8443/app', 'https://git.example:8443/app'],
  ['git@git.example:team/app.git', 'ssh://git.example/team/app.git'],
  ['ssh://git@git.example/app', 'ssh://git.example/app'],
  ['/srv/git/app.git', undefined],
  ['file:///srv/git/app.git', undefined],
  ['', undefined],
])('of the remote %s is told: %s', (remote, url) => expect(publicUrl(remote)).toBe(url));

test('the commit, whether files differ from it, and where it is published', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'revision-test-'));
  try {
    const git = (...words: string[]) =>
      execFileSync('git', ['-C', dir, '-c', 'user.name=t', '-c', 'user.email=t@t', ...words], { encoding: 'utf8' });
    expect(await readRevision(dir)).toBeUndefined();
    git('init', '-q');
    writeFileSync(join(dir, 'file'), 'a');
    git('add', '.');
    git('commit', '-qm', 'a');
    const commit = git('rev-parse', 'HEAD').trim();
    expect(await readRevision(dir)).toEqual({ commit });
    git('remote', 'add', 'origin', 'https://me:secret@git.example/app.git');
    writeFileSync(join(dir, 'file'), 'b');
    expect(await readRevision(dir)).toEqual({ commit: `${commit}-dirty`, url: 'https://git.example/app.git' });
  } finally {
    rmSync(dir, { recursive: true });
  }
});
