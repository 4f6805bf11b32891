import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { type UnpackedImage, unpackImage } from '../../../bench/unpack-image.ts';
import { PLAIN_HTTP, runCli } from './build-example.ts';

/** plain-http on a JDK, hardly warmed up and not verified, unpacked: many containers can be started from it. */
export async function unpackExample(
  jdk: string,
  javaOptions: readonly string[],
): Promise<UnpackedImage & AsyncDisposable & { readonly layout: string }> {
  const dir = await mkdtemp(join(tmpdir(), 'crac-example-'));
  const dispose = () => rm(dir, { recursive: true, force: true });
  try {
    await chmod(dir, 0o755);
    const layout = join(dir, 'image');
    const config = join(dir, 'crac-build.yaml');
    const warmth = { method: 'POST', path: '/state?name=warm', body: 'made during warm-up', count: 1 };
    await writeFile(
      config,
      stringify({
        app: { jar: join(PLAIN_HTTP, 'target/plain-http.jar'), javaOptions, ports: [8080] },
        warmUp: { requests: [warmth, { path: '/', count: 50 }, { path: '/file', count: 1 }] },
        checkpoint: { settle: '0s' },
        verify: { enabled: false },
      }),
    );
    const flags = ['--engine', 'oci', '--base', `jdk:${jdk}`, '--output', `oci:${layout}`];
    const { exitCode, stderr } = await runCli(['build', '--config', config, ...flags]);
    if (exitCode !== 0) throw new Error(`crac-build exited with ${exitCode}\n${stderr}`);
    return { ...(await unpackImage(layout, join(dir, 'root'))), layout, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}
