import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { JDKS, PLAIN_HTTP, runCli } from './support/build-example.ts';

const run = promisify(execFile);
const environment = { JAVA_HOME: JDKS[17] };

let dir: string;
beforeAll(async () => {
  await run(join(PLAIN_HTTP, 'build'));
  dir = await mkdtemp(join(tmpdir(), 'crac-init-'));
  await mkdir(join(dir, 'target'));
  await cp(join(PLAIN_HTTP, 'target/plain-http.jar'), join(dir, 'target/plain-http.jar'));
}, 60_000);
afterAll(() => rm(dir, { recursive: true, force: true }));

/** A log that plain-http could have written. */
const LOG = [
  ...Array.from({ length: 6 }, (_, index) => `GET /work?n=${100 + (index % 2)} HTTP/1.1" 200 12`),
  ...Array.from({ length: 3 }, () => 'GET / HTTP/1.1" 200 5'),
  'GET /nowhere HTTP/1.1" 404 9',
].map((rest) => `127.0.0.1 - - [31/Jan/2026:12:00:00 +0000] "${rest}\n`);

test('what init writes for an app is planned and built as it is, with the requests of its access log', async () => {
  await writeFile(join(dir, 'access.log'), LOG.join(''));
  const init = await runCli(['init', '--from-access-log', 'access.log'], { cwd: dir });
  expect(init).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('wrote crac-build.yaml') });
  const written = await readFile(join(dir, 'crac-build.yaml'), 'utf8');
  expect(written).toContain('2 different paths');

  const plan = await runCli(['plan', '--json'], { cwd: dir, environment });
  expect(JSON.parse(plan.stdout)).toMatchObject({
    name: 'plain-http',
    app: { source: { path: join(dir, 'target/plain-http.jar') }, ports: [8080] },
    readiness: { kind: 'http', path: '/work?n=100' },
    warmUp: { scenarios: [{ name: 'GET /work?n', load: { weight: 67 } }, { name: 'GET /' }] },
  });

  /** For how long is the app's author's to say; here it is to be soon. */
  await writeFile(
    join(dir, 'crac-build.yaml'),
    written.replace('\n  scenarios:', '\n  until: { requests: 60 }\n  scenarios:'),
  );
  const build = await runCli(['build', '--json', '--engine', 'oci', '--output', 'oci:image'], {
    cwd: dir,
    environment,
  });
  expect({ exitCode: build.exitCode, stderr: build.exitCode === 0 ? '' : build.stderr }).toEqual({
    exitCode: 0,
    stderr: '',
  });
  expect(JSON.parse(build.stdout)).toMatchObject({
    ok: true,
    verified: { restoredMs: [expect.any(Number), expect.any(Number)] },
  });
}, 240_000);
