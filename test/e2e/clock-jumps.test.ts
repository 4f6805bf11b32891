import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { JDKS, PLAIN_HTTP, ROOT, runCli } from './support/build-example.ts';

const run = promisify(execFile);
/** CLOCK_MONOTONIC of a time namespace cannot go below zero: so the jump back is made by building in the future. */
const IN_THE_FUTURE = ['unshare', '--time', '--monotonic', '100000', '--boottime', '100000', '--fork', '--'];
/** More than a checkpoint takes on a busy machine: it must not be over before the restore. */
const PENDING_MS = 8000;

describe.each([
  { jdk: 17, jump: '-100000 s', build: IN_THE_FUTURE, restore: [] },
  { jdk: 25, jump: '-100000 s', build: IN_THE_FUTURE, restore: [] },
  { jdk: 17, jump: '+100000 s', build: [], restore: IN_THE_FUTURE },
  { jdk: 25, jump: '+100000 s', build: [], restore: IN_THE_FUTURE },
] as const)('JDK $jdk, clock jump of $jump', ({ jdk, build, restore }) => {
  test('nanoTime goes on, sleeps take their time, nothing is caught up', async () => {
    const kinds = jdk === 17 ? ['platform', 'task'] : ['platform', 'task', 'virtual'];
    const dir = await mkdtemp(join(tmpdir(), 'crac-clock-'));
    try {
      const config = join(dir, 'crac-build.yaml');
      await writeFile(
        config,
        stringify({
          app: { jar: join(PLAIN_HTTP, 'target/plain-http.jar'), ports: [8080] },
          warmUp: {
            requests: [
              { path: '/', count: 50 },
              ...kinds.map((kind) => ({ method: 'POST', path: `/pending?ms=${PENDING_MS}&in=${kind}`, count: 1 })),
            ],
          },
          checkpoint: { settle: '0s' },
          verify: { enabled: false },
        }),
      );
      const layout = join(dir, 'image');
      const base = `jdk:${JDKS[jdk]}`;
      const built = await runCli(
        ['build', '--config', config, '--engine', 'oci', '--base', base, '--output', `oci:${layout}`, '--json'],
        { wrapper: build },
      );
      expect(built.stderr).not.toContain('"stage-failed"');
      expect(built.exitCode).toBe(0);

      const program = ['node', 'scripts/run-ts.mjs', 'test/e2e/support/ask-about-time.ts', layout, ...kinds];
      const [command = '', ...rest] = [...restore, ...program];
      const { time, slept, atFirst, pending, scheduled } = JSON.parse((await run(command, rest, { cwd: ROOT })).stdout);

      expect(time.elapsedMs).toBeGreaterThan(0);
      expect(time.elapsedMs).toBeLessThan(60_000);
      expect(slept.byNanoTimeMs).toBeGreaterThanOrEqual(400);
      expect(slept.byNanoTimeMs).toBeLessThan(1000);
      for (const kind of kinds) {
        expect({ kind, ...atFirst[kind] }).toEqual({ kind, state: 'sleeping' });
        expect({ kind, ...pending[kind] }).toMatchObject({ kind, state: 'slept', askedMs: PENDING_MS });
        expect(pending[kind].byNanoTimeMs).toBeGreaterThanOrEqual(PENDING_MS);
        expect(pending[kind].byNanoTimeMs).toBeLessThan(PENDING_MS + 1000);
      }
      expect(scheduled.maxBurst).toBeLessThanOrEqual(3);
      expect(scheduled.ticks).toBeGreaterThan(scheduled.expected * 0.7);
      expect(scheduled.ticks).toBeLessThanOrEqual(scheduled.expected + 1);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  }, 120_000);
});
