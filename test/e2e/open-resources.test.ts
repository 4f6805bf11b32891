import { execFile } from 'node:child_process';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { JDKS, runCli } from './support/build-example.ts';
import { waitUntilAnswered } from './support/start-image.ts';
import { startInCrun } from './support/start-in-crun.ts';

const run = promisify(execFile);
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'crac-open-'));
  const classes = join(dir, 'classes');
  await run('javac', ['--release', '17', '-d', classes, join(import.meta.dirname, 'support/Opening.java')]);
  await run('jar', ['--create', '--file', join(dir, 'app.jar'), '--main-class', 'Opening', '-C', classes, '.']);
}, 60_000);

afterAll(() => rm(dir, { recursive: true, force: true }));

test('a build tells what is open and who opened it, and the lines that it prints allow it', async () => {
  const output = join(dir, 'image');
  const config = join(dir, 'crac-build.yaml');
  const warmUp = { requests: [{ path: '/', count: 100 }] };
  const common = { app: { jar: 'app.jar' }, base: `jdk:${JDKS[17]}`, engine: 'oci' };
  const settings = { ...common, warmUp, outputs: [`oci:${output}`] };
  await writeFile(config, stringify(settings));
  const stacks = '--java-option=-Djdk.crac.collect-fd-stacktraces=true';
  const refused = await runCli(['build', '--config', config, stacks]);
  expect(refused.exitCode).toBe(1);
  await expect(access(output)).rejects.toThrow();
  const told = refused.stderr.slice(refused.stderr.indexOf('error: '));
  expect(told).toMatch(/^error: the app refused the checkpoint: what it has open cannot be taken along$/m);
  expect(told).toMatch(
    /^ {2}\| \/tmp\/app.log \(descriptor \d+\): it is open for writing\n {2}\| {3}opened by thread "main"\n( {2}\| {5}at .*\n)+ {2}\| {5}at Opening.main\(Opening.java:11\)$/m,
  );
  expect(told).toMatch(
    /^ {2}\| TCP connection 127.0.0.1:\d+ to 127.0.0.1:8080 \(descriptor \d+\): the app has opened it/m,
  );
  expect(told).toMatch(/^ {2}\| {5}at Opening.main\(Opening.java:24\)$/m);
  expect(told).toMatch(/^hint: .*--policies \(checkpoint.policies\)\.$/m);

  const rules = told.slice(told.indexOf('\n\n') + 2);
  expect(rules.trim()).toBe(
    'type: file\npath: /tmp/app.log\naction: reopen\n---\ntype: socket\nremoteAddress: 127.0.0.1\nremotePort: 8080\naction: close',
  );
  await writeFile(join(dir, 'rules.yaml'), rules);
  await writeFile(config, stringify({ ...settings, checkpoint: { policies: 'rules.yaml' } }));
  const built = await runCli(['build', '--config', config]);
  expect([built.exitCode, built.stderr]).toEqual([0, expect.any(String)]);

  // Nothing but an empty /tmp can be written to: the log begins anew there.
  await using started = await startInCrun(output, { environment: { CRAC_RESTORE: 'require' } });
  await waitUntilAnswered(() => started.get('/'));
  expect(await started.get('/upstream')).toBe('read -1');
  expect(await started.get('/log')).toBe('/\n/upstream\n/log\n');
}, 180_000);
