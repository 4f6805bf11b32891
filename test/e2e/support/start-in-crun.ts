import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectEngine } from '../../../src/engine/connect.ts';
import type { OciImage } from '../../../src/oci/image.ts';
import { ROOT } from './build-example.ts';
import { readImage } from './read-image.ts';
import { openClient, type StartedImage, type StartOptions } from './start-image.ts';

const RESTRICTED = { user: '65432:65432', noNewPrivileges: true, readOnlyRoot: true, tmpfs: ['/tmp'] };
const FREE = { noNewPrivileges: false, readOnlyRoot: false, tmpfs: [] };

export interface StartedInCrun extends StartedImage {
  /** Where a port of the container can be reached on 127.0.0.1. */
  readonly portOf: (inside: number) => Promise<number>;
}

/** An image, or that of a layout, in crun, under what crun can restrict: everything but seccomp, for which it has no default. */
export async function startInCrun(image: string | OciImage, options: StartOptions = {}): Promise<StartedInCrun> {
  const workDir = await mkdtemp(join(tmpdir(), 'crac-e2e-'));
  const { signal } = new AbortController();
  const { ports = [8080] } = options;
  const held: AsyncDisposable[] = [{ [Symbol.asyncDispose]: () => rm(workDir, { recursive: true, force: true }) }];
  const disposeAll = async () => {
    for (const each of held.splice(0).reverse()) await each[Symbol.asyncDispose]();
  };
  try {
    const engine = await connectEngine('oci', {
      cacheDir: join(workDir, 'cache'),
      nativeDir: join(ROOT, 'dist/native'),
      signal,
    });
    const files = typeof image === 'string' ? await readImage(image) : image;
    const loaded = await engine.loadImage(files, 'crac-e2e:latest', signal);
    held.push(loaded);
    const container = await engine.launchContainer(
      {
        image: loaded.reference,
        name: `crac-build-e2e-${Date.now()}`,
        environment: options.environment ?? {},
        ...(options.arguments === undefined ? {} : { command: options.arguments }),
        ...(options.isRestricted === false ? FREE : RESTRICTED),
        capabilities: [],
        seccomp: 'default',
        ports,
        network: 'isolated',
      },
      signal,
    );
    held.push(container);
    const ended = async () => {
      const { exitCode } = await container.exited;
      return { exitCode, output: (await container.lastLines(50)).join('\n') };
    };
    // One that ends at once has no port any more.
    const { host, port } = await container.endpoint(ports[0] ?? 0).catch(() => ({ host: '127.0.0.1', port: 9 }));
    return {
      portOf: async (inside) => (await container.endpoint(inside)).port,
      ...openClient(`${host}:${port}`),
      stop: async () => {
        await container.kill('SIGTERM');
        return await ended();
      },
      ended,
      [Symbol.asyncDispose]: disposeAll,
    };
  } catch (error) {
    await disposeAll();
    throw error;
  }
}
