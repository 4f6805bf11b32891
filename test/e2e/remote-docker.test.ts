import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { buildImage, JDKS, PLAIN_HTTP, ROOT } from './support/build-example.ts';
import { startRemoteDockerd } from './support/remote-dockerd.ts';

const run = promisify(execFile);

test('a daemon on another machine builds and verifies: no file of this machine is mounted, its ports are found there', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'crac-remote-'));
  const tmp = join(dir, 'tmp');
  const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'crac-build');
  await mkdir(tmp);
  await mkdir(cache, { recursive: true });
  try {
    await using daemon = await startRemoteDockerd([tmp, cache, join(ROOT, 'dist')]);
    const environment = { DOCKER_HOST: daemon.host, TMPDIR: tmp };
    const config = join(dir, 'crac-build.yaml');
    await writeFile(
      config,
      stringify({
        app: { jar: join(PLAIN_HTTP, 'target/plain-http.jar'), ports: [8080] },
        base: `jdk:${JDKS[17]}`,
        warmUp: { requests: [{ path: '/', count: 50 }] },
        checkpoint: { settle: '0s' },
        outputs: ['docker:crac-e2e/remote:1'],
      }),
    );
    expect(await buildImage(['--config', config], { environment })).toMatchObject({
      plan: { engine: 'docker' },
      verified: { restoredMs: [expect.any(Number), expect.any(Number)] },
    });
    const ask = async (...words: string[]) => (await run('docker', ['-H', daemon.host, ...words])).stdout.trim();
    expect(await ask('images', '--format', '{{.Repository}}:{{.Tag}}')).toBe('crac-e2e/remote:1');
    expect(await ask('ps', '-aq')).toBe('');
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}, 240_000);
