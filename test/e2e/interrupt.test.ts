import { randomBytes } from 'node:crypto';
import { access, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { STAGES } from '../../src/report/event.ts';
import { JDKS, PLAIN_HTTP, runCli } from './support/build-example.ts';
import { listLeftovers } from './support/leftovers.ts';

const CASES = [
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
          outputs: [engine === 'oci' ? `oci:${output}` : `docker:crac-e2e/${name}:latest`],
        }),
      );
      const tmp = join(dir, 'tmp');
      await mkdir(tmp);
      let isSent = false;
      const run = await runCli(['build', '--config', config, '--engine', engine, '--json'], {
        environment: { TMPDIR: tmp },
        onProgress: (stderr, kill) => {
          const isStarted = new RegExp(`"stage-started","stage":"${stage}"`).test(stderr);
          if (!isStarted || isSent) return;
          isSent = true;
          kill(signal);
        },
      });
      expect(isSent).toBe(true);
      expect(run.exitCode).toBe(exitCode);
      expect(JSON.parse(run.stdout)).toMatchObject({ ok: false, error: { code: 'INTERRUPTED' } });
      expect(await listLeftovers(tmp, name)).toEqual([]);
      await expect(access(output)).rejects.toThrow();
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  }, 120_000);
});
