import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { buildWithBuildah } from '../../../src/engine/buildah.ts';

const signal = new AbortController().signal;
const told: string[] = [];
const progress = { signal, tell: (line: string) => void told.push(line) };
const build = {
  file: '/work/Dockerfile',
  context: '/work',
  buildArguments: { BASE: 'a b', X: '' },
  target: 'app',
  tag: 'crac-build-dockerfile:x',
};

let dir: string;
let environment: Readonly<Record<string, string>>;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'buildah-test-'));
  environment = { PATH: `${dir}:/usr/bin:/bin` };
});
afterEach(() => rmSync(dir, { recursive: true }));

/** A program of that name that writes down what it is asked. */
function putBuildah(rest: string): void {
  writeFileSync(join(dir, 'buildah'), `#!/bin/sh\nprintf '<%s>' "$@" >> ${dir}/asked\necho >> ${dir}/asked\n${rest}\n`);
  chmodSync(join(dir, 'buildah'), 0o755);
}

test('builds with arguments and target, then writes a layout', async () => {
  putBuildah('exit 0');
  await buildWithBuildah(build, '/out', environment, progress);
  expect(readFileSync(join(dir, 'asked'), 'utf8').trim().split('\n')).toEqual([
    '<--version>',
    '<build><--layers><--file></work/Dockerfile><--tag><crac-build-dockerfile:x><--build-arg><BASE=a b><--build-arg><X=><--target><app></work>',
    '<push><--quiet><crac-build-dockerfile:x><oci:/out:latest>',
  ]);
  expect(told).toEqual(['building with buildah']);
});

test('a step that fails is told with its last lines', async () => {
  putBuildah('[ "$1" = build ] || exit 0\necho STEP 2: RUN false\necho "Error: exit status 1" >&2\nexit 1');
  await expect(buildWithBuildah(build, '/out', environment, progress)).rejects.toMatchObject({
    code: 'ENGINE_FAILED',
    message: 'buildah failed to build /work/Dockerfile: Error: exit status 1',
    details: ['STEP 2: RUN false', 'Error: exit status 1'],
  });
});

test('without buildah there are three ways out', async () => {
  environment = { PATH: dir };
  await expect(buildWithBuildah(build, '/out', environment, progress)).rejects.toMatchObject({
    code: 'ENGINE_UNAVAILABLE',
    hint: expect.stringMatching(/buildah.*--engine docker.*--image/),
  });
});

test('a failure names build arguments, and tells no value', async () => {
  putBuildah('[ "$1" = build ] || exit 0\nexit 1');
  const secret = { ...build, buildArguments: { TOKEN: 'hush\nhush=hush' } };
  const error = await buildWithBuildah(secret, '/out', environment, progress).catch((thrown: Error) => thrown);
  expect(error).toMatchObject({ hint: expect.stringContaining('--build-arg TOKEN=… --target app /work') });
  expect(JSON.stringify(error)).not.toContain('hush');
});

test('interrupted: buildah is told, and puts away what it has made', async () => {
  putBuildah(
    `[ "$1" = build ] || exit 0\ntrap 'touch ${dir}/put-away; exit 1' TERM\ntouch ${dir}/building\nwhile :; do sleep 0.02; done`,
  );
  const controller = new AbortController();
  const building = buildWithBuildah(build, '/out', environment, { ...progress, signal: controller.signal });
  const failed = expect(building).rejects.toMatchObject({ code: 'INTERRUPTED' });
  for (let left = 500; !existsSync(join(dir, 'building')) && left > 0; left--) await setTimeout(10);
  controller.abort();
  await failed;
  expect(existsSync(join(dir, 'put-away'))).toBe(true);
});
