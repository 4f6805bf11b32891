import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import type { ContainerSpec } from '../../../src/engine/engine.ts';
import { findRuntime } from '../../../src/engine/oci-runtime-command.ts';
import { composeRuntimeSpec } from '../../../src/engine/oci-spec.ts';
import { locateBlob } from '../../../src/oci/blob-store.ts';
import { readImage } from './read-image.ts';

const run = promisify(execFile);

export interface Ran {
  readonly exitCode: number;
  readonly output: string;
}

/** Runs an image of a layout to its end under the restrictions of production, with `input` to read. */
export async function runInCrun(
  layout: string,
  input: string,
  environment: Readonly<Record<string, string>>,
): Promise<Ran> {
  const bundle = await mkdtemp(join(tmpdir(), 'crac-run-'));
  try {
    const image = await readImage(layout);
    const root = join(bundle, 'root');
    await mkdir(root);
    for (const { digest } of image.layers)
      await run('tar', ['-xzf', locateBlob(image.blobDir, digest), '-C', root, '--numeric-owner', '--same-owner']);
    const spec: ContainerSpec = {
      ...{ image: layout, name: basename(bundle), environment, user: '65432:65432', capabilities: [] },
      ...{
        seccomp: 'default',
        noNewPrivileges: true,
        readOnlyRoot: true,
        tmpfs: ['/tmp'],
        ports: [],
        network: 'isolated',
      },
    };
    const place = {
      ...{ image: image.config, user: { uid: 65432, gid: 65432, home: '/' }, hostName: 'batch', files: {} },
      ...{ cgroupsPath: `/${spec.name}`, knowsCheckpointRestore: true },
    };
    await writeFile(join(bundle, 'config.json'), JSON.stringify(composeRuntimeSpec(spec, place)));
    const { argv } = await findRuntime(['crun'], join(bundle, 'state'), new AbortController().signal);
    const [program = '', ...args] = [...argv, 'run', '--bundle', bundle, spec.name];
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    child.stdin.end(input);
    const [out, err, exitCode] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      new Promise<number>((resolve) => child.on('close', (code) => resolve(code ?? -1))),
    ]);
    return { exitCode, output: out + err };
  } finally {
    await rm(bundle, { recursive: true, force: true });
  }
}
