import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectEngine } from '../../src/engine/connect.ts';
import type { BuildPlan } from '../../src/plan/build-plan.ts';
import { launchServices } from '../../src/stages/services.ts';
import type { Service } from '../../src/warm-up/service.ts';
import type { World } from '../../src/world.ts';
import { ROOT } from '../e2e/support/build-example.ts';
import { readImage } from '../e2e/support/read-image.ts';
import { openClient, type StartedImage } from '../e2e/support/start-image.ts';

export interface StartedBeside extends Pick<StartedImage, 'get' | 'post' | 'send'>, AsyncDisposable {
  readonly lines: () => Promise<string>;
}

/** An image, restored or not at all, as in production, with services beside it in its network. */
export async function startBeside(
  layout: string,
  services: readonly Service[],
  environment: Readonly<Record<string, string>>,
): Promise<StartedBeside> {
  const { signal } = new AbortController();
  const workDir = await mkdtemp(join(tmpdir(), 'crac-beside-'));
  const held: AsyncDisposable[] = [{ [Symbol.asyncDispose]: () => rm(workDir, { recursive: true, force: true }) }];
  const disposeAll = async () => {
    for (const each of held.splice(0).reverse()) await each[Symbol.asyncDispose]();
  };
  try {
    const places = { cacheDir: join(workDir, 'cache'), nativeDir: join(ROOT, 'dist/native'), signal };
    const engine = await connectEngine('oci', places);
    const plan = { name: 'systems', network: 'isolated', services } as unknown as BuildPlan;
    const beside = await launchServices(plan, 'verify', { engine, signal, report: () => {} } as unknown as World);
    held.push(beside);
    const loaded = await engine.loadImage(await readImage(layout), 'crac-systems:latest', signal);
    held.push(loaded);
    const container = await engine.launchContainer(
      {
        ...{ image: loaded.reference, name: `crac-build-systems-${Date.now()}` },
        environment: { CRAC_RESTORE: 'require', ...environment },
        ...{ user: '65432:65432', noNewPrivileges: true, readOnlyRoot: true, tmpfs: ['/tmp'] },
        ...{ capabilities: [], seccomp: 'default', ports: [8080] },
        ...beside.neighbourhood,
      },
      signal,
    );
    held.push(container);
    const { host, port } = await container.endpoint(8080);
    return {
      ...openClient(`${host}:${port}`),
      lines: async () => (await container.lastLines(100)).join('\n'),
      [Symbol.asyncDispose]: disposeAll,
    };
  } catch (error) {
    await disposeAll();
    throw error;
  }
}
