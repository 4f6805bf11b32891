import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readBuildContext } from '../../../src/engine/build-context.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'context-test-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

function put(path: string, content = ''): string {
  const whole = join(dir, path);
  mkdirSync(dirname(whole), { recursive: true });
  writeFileSync(whole, content);
  return whole;
}

async function list(folder: string, file: string): Promise<readonly string[]> {
  const { entries } = await readBuildContext(folder, file);
  return entries.map(({ path }) => path).sort();
}

test('what .dockerignore names is not sent, but for its exceptions and the Dockerfile', async () => {
  put('.dockerignore', '# of the build\ntarget\n!target/app.jar\n**/*.log\nDockerfile\n.dockerignore\n');
  put('Dockerfile', 'FROM x');
  put('target/app.jar');
  put('target/classes/A.class');
  put('a/b/x.log');
  put('a/b/x.txt');
  const sent = ['.dockerignore', 'Dockerfile', 'a', 'a/b', 'a/b/x.txt', 'target/app.jar'];
  expect(await list(dir, join(dir, 'Dockerfile'))).toEqual(sent);
});

test('the Dockerfile’s own rules come instead', async () => {
  put('.dockerignore', '*.txt\n');
  put('web.Dockerfile', 'FROM x');
  put('web.Dockerfile.dockerignore', '*.md\n');
  put('a.txt');
  put('a.md');
  const { entries, dockerfile } = await readBuildContext(dir, join(dir, 'web.Dockerfile'));
  expect(dockerfile).toBe('web.Dockerfile');
  expect(entries.map(({ path }) => path)).not.toContain('a.md');
  expect(entries.map(({ path }) => path)).toContain('a.txt');
  const rules = entries.find(({ path }) => path === '.dockerignore');
  expect(rules).toMatchObject({ content: Buffer.from('*.md\n') });
});

test('a Dockerfile outside comes along, and is not copied into the image', async () => {
  const file = put('docker/Dockerfile', 'FROM x');
  put('app/a.txt');
  const { entries, dockerfile } = await readBuildContext(join(dir, 'app'), file);
  expect(dockerfile).toBe('.dockerfile.crac-build');
  expect(entries.find(({ path }) => path === dockerfile)).toMatchObject({ content: Buffer.from('FROM x') });
  const rules = entries.find(({ path }) => path === '.dockerignore');
  expect(String((rules as { content?: Buffer }).content)).toMatch(/^\.dockerfile\.crac-build$/m);
});

test('modes and links stay, owner and time do not', async () => {
  const file = put('Dockerfile', 'FROM x');
  chmodSync(put('run.sh'), 0o750);
  chmodSync(put('secret'), 0o600);
  symlinkSync('run.sh', join(dir, 'link'));
  const { entries } = await readBuildContext(dir, file);
  const find = (name: string) => entries.find(({ path }) => path === name);
  expect(find('run.sh')).toMatchObject({ mode: 0o750, uid: 0, gid: 0, mtimeSeconds: 315532800 });
  expect(find('secret')).toMatchObject({ mode: 0o600 });
  expect(find('link')).toMatchObject({ type: 'symlink', target: 'run.sh' });
});

test.each([
  ['the Dockerfile', 'gone/Dockerfile', '.'],
  ['the build context', 'Dockerfile', 'gone'],
])('%s is not there', async (what, file, folder) => {
  put('Dockerfile', 'FROM x');
  await expect(readBuildContext(join(dir, folder), join(dir, file))).rejects.toMatchObject({
    code: 'INPUT_NOT_FOUND',
    message: expect.stringMatching(new RegExp(`^${what} .* cannot be read: ENOENT$`)),
    hint: expect.stringContaining('--dockerfile'),
  });
});
