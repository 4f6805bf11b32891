import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { makeZip } from '../jar/make-zip.ts';

const root = resolve(import.meta.dirname, '../../..');
/** Below node_modules, where the packages that it imports are found. */
let program: string;
let folder: string;
beforeAll(async () => {
  program = mkdtempSync(join(root, 'node_modules/.cli-test-'));
  await build({
    entryPoints: [join(root, 'src/cli/main.ts')],
    outfile: join(program, 'crac-build.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
  });
});
afterAll(() => rmSync(program, { recursive: true }));
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cli-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function run(...argv: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(program, 'crac-build.mjs'), ...argv], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, TMPDIR: folder, XDG_CACHE_HOME: join(folder, 'cache'), CRAC_BUILD_NATIVE: folder },
  });
  return { status, stdout, stderr };
}

test('no command: help and exit code 2', () => {
  expect(run()).toMatchObject({ status: 2, stderr: expect.stringContaining('Commands:') });
});

test('--help is no error', () => {
  const { status, stdout } = run('build', '--help');
  expect(status).toBe(0);
  for (const flag of ['--config', '--base', '--java-option', '--warm-up', '--engine', '--output', '--no-verify']) {
    expect(stdout).toContain(flag);
  }
});

test.each([
  [['build', '--fast'], "error: unknown option '--fast'; did you mean --base?\nhint: "],
  [['bild'], "error: unknown command 'bild'"],
  [['build', 'a.jar', '--user', 'me'], 'Expected "UID" or "UID:GID" in numbers.'],
  [['build', 'a.jar', 'b.jar'], 'error: too many arguments'],
  [['init', '--top', 'all'], 'Expected a whole number from 1 to 9999.'],
  [['init', '--host', 'a.example'], 'error: --host goes with --from-har\nhint: '],
  [['plan'], 'error: no jar was given\nhint: '],
  [['merge', 'oci:a'], "error: required option '--output <where>' not specified"],
  [['merge', 'oci:a', '--output', 'docker:a'], 'Expected "oci:DIR[:TAG]"'],
  [['validate'], "error: missing required argument 'image'"],
  [['plan', '--config', 'none.yaml'], 'error: cannot read the config file none.yaml: there is no such file'],
  [['plan', '--config', '.'], 'error: cannot read the config file .: it is a folder\nhint: '],
])('%p is wrong usage: exit code 2', (argv, message) => {
  const { status, stderr, stdout } = run(...argv);
  expect(stderr).toContain(message);
  expect(stderr).not.toContain('    at ');
  expect(stdout).toBe('');
  expect(status).toBe(2);
});

test('wrong usage is JSON with --json', () => {
  const { status, stdout } = run('build', '--json', '--fast');
  expect(status).toBe(2);
  expect(JSON.parse(stdout)).toMatchObject({
    ok: false,
    error: { code: 'USAGE', message: "unknown option '--fast'; did you mean --base?" },
  });
});

test('a wrong config names its line', () => {
  writeFileSync(join(folder, 'crac-build.yaml'), 'name: x\nwarmup: {}\n');
  const { status, stderr } = run('build', 'a.jar');
  expect(stderr).toContain('error: crac-build.yaml:2: warmup is not a known key; did you mean "warmUp"?\n');
  expect(status).toBe(2);
});

test('a jar that is none: exit code 1, and nothing is left in the temporary folder', () => {
  writeFileSync(join(folder, 'a.jar'), 'no jar');
  const { status, stdout, stderr } = run('build', 'a.jar', '--json');
  expect(status).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ ok: false, error: { code: 'INPUT_INVALID' } });
  const events = stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).type);
  expect(events).toEqual(['stage-started', 'stage-failed']);
  expect(readdirSync(folder).filter((name) => name.startsWith('crac-build-'))).toEqual([]);
});

test('init prints a config that plan reads', () => {
  writeFileSync(join(folder, 'shop-1.0.jar'), makeZip({ 'META-INF/MANIFEST.MF': 'Main-Class: Main\n' }));
  const printed = run('init', '--output', '-');
  expect(printed).toMatchObject({ status: 0, stderr: '' });
  writeFileSync(join(folder, 'crac-build.yaml'), printed.stdout);
  expect(run('init')).toMatchObject({ status: 2, stderr: expect.stringContaining('is there already\nhint: ') });
  expect(JSON.parse(run('plan', '--json').stdout)).toMatchObject({ name: 'shop', app: { ports: [8080] } });
});

test('plan prints the plan and asks no engine', () => {
  const jar = join(folder, 'plain-http.jar');
  writeFileSync(jar, makeZip({ 'META-INF/MANIFEST.MF': 'Main-Class: Main\n' }));
  const jdk = spawnSync('sh', ['-c', 'dirname $(dirname $(readlink -f $(which javac)))'], {
    encoding: 'utf8',
  }).stdout.trim();
  writeFileSync(join(folder, 'crac-build.yaml'), `app:\n  jar: ${jar}\nbase: jdk:${jdk}\n`);
  const text = run('plan', '--name', 'n');
  expect(text).toMatchObject({ status: 0, stdout: expect.stringContaining(`app: ${jar} as /app/n.jar\n`) });
  const json = JSON.parse(run('plan', '--json', '--port', '81').stdout);
  expect(json).toMatchObject({
    name: 'plain-http',
    engine: 'auto',
    app: { source: { path: jar }, ports: [81] },
    readiness: { port: 81 },
  });
});
