import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { validateLayout } from '../../src/oci/validate.ts';
import { STAGES } from '../../src/report/event.ts';
import { JDKS, PLAIN_HTTP, runCli } from './support/build-example.ts';
import { listLeftovers } from './support/leftovers.ts';

const run = promisify(execFile);
const CASES = [
  { engine: 'oci', stage: 'checkpoint', signal: 'SIGHUP' as const, exitCode: 129 },
  ...STAGES.map((stage) => ({ engine: 'oci', stage, signal: 'SIGINT' as const, exitCode: 130 })),
  ...(['containerize', 'launch', 'warm-up', 'checkpoint', 'verify', 'publish'] as const).map((stage) => ({
    engine: 'docker',
    stage,
    signal: 'SIGTERM' as const,
    exitCode: 143,
  })),
];

describe.each(CASES)('$signal during $stage with $engine', ({ engine, stage, signal, exitCode }) => {
  test(`ends with ${exitCode} and leaves nothing behind`, async () => {
    const name = `interrupted-${randomBytes(4).toString('hex')}`;
    const reference = `crac-e2e/${name}:latest`;
    const dir = await mkdtemp(join(tmpdir(), 'crac-interrupt-'));
    try {
      const output = join(dir, 'image');
      const config = join(dir, 'crac-build.yaml');
      await writeFile(
        config,
        stringify({
          name,
          app: { jar: join(PLAIN_HTTP, 'target/plain-http.jar'), ports: [8080] },
          base: `jdk:${JDKS[17]}`,
          warmUp: { requests: [{ path: '/', count: 50 }] },
          checkpoint: { settle: stage === 'checkpoint' ? '30s' : '0s' },
          outputs: [engine === 'oci' ? `oci:${output}` : `docker:${reference}`],
        }),
      );
      const tmp = join(dir, 'tmp');
      await mkdir(tmp);
      let isSent = false;
      const build = await runCli(['build', '--config', config, '--engine', engine, '--json'], {
        environment: { TMPDIR: tmp },
        onProgress: (stderr, kill) => {
          const isStarted = new RegExp(`"stage-started","stage":"${stage}"`).test(stderr);
          if (!isStarted || isSent) return;
          isSent = true;
          kill(signal);
        },
      });
      expect(isSent).toBe(true);
      // What has been published when the signal comes stays: then the build was done, whole.
      const isDone = stage === 'publish' && build.exitCode === 0;
      expect(build.exitCode).toBe(isDone ? 0 : exitCode);
      expect(JSON.parse(build.stdout)).toMatchObject(
        isDone ? { ok: true } : { ok: false, error: { code: 'INTERRUPTED' } },
      );
      if (isDone && engine === 'oci') expect(await validateLayout(output)).toEqual([]);
      else await expect(access(output)).rejects.toThrow();
      if (isDone && engine === 'docker') await run('docker', ['rmi', '-f', reference]);
      expect(await listLeftovers(tmp, name)).toEqual([]);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  }, 120_000);
});
