import { createWriteStream } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openDockerArchive } from '../../../src/oci/docker-archive.ts';
import type { ImageConfig, Layer, OciImage } from '../../../src/oci/image.ts';
import { writeLayer } from '../../../src/oci/layer.ts';
import { readSourceLayout } from '../../../src/oci/read-source-layout.ts';
import { takeBaseLayers } from '../../../src/stages/base-layer.ts';
import { composeDirectory, composeFile, type TarEntry } from '../../../src/tar/entry.ts';
import type { World } from '../../../src/world.ts';
import { jarSource, samplePlan } from '../../support/sample-plan.ts';
import { PLAIN_HTTP } from './build-example.ts';

const CACHE = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
const GZIP = { compression: 'gzip', compressionLevel: 6 } as const;

/** What scripts/install-test-base.ts has made: "bullseye-17". */
export function locateTestBase(name: string): string {
  return join(CACHE, 'crac-build-test/bases', name);
}

const EMPTY: ImageConfig = {
  architecture: 'amd64',
  os: 'linux',
  user: '',
  environment: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
  entrypoint: [],
  command: [],
  workingDir: '/',
  ports: [],
  labels: {},
  stopSignal: 'SIGTERM',
};

/** An image as a Dockerfile would make it: a layer with plain-http and `files` in /srv on top of a base. */
export async function composeAppImage(
  base: { readonly blobDir: string; readonly layers: readonly Layer[] },
  config: Partial<ImageConfig>,
  files: Readonly<Record<string, string>> = {},
): Promise<OciImage> {
  const localPath = join(PLAIN_HTTP, 'target/plain-http.jar');
  const { size } = await stat(localPath);
  const entries: TarEntry[] = [
    composeDirectory('srv'),
    composeFile('srv/app.jar', { localPath, sizeBytes: size }),
    ...Object.entries(files).map(([name, text]) => composeFile(`srv/${name}`, Buffer.from(text), 0o755)),
  ];
  const layer = await writeLayer(base.blobDir, 'app', entries);
  return { blobDir: base.blobDir, layers: [...base.layers, layer], config: { ...EMPTY, ...config } };
}

/** The layers of a test base, in a store of one's own. */
export async function readTestBase(name: string, dir: string): Promise<{ blobDir: string; layers: readonly Layer[] }> {
  const blobDir = join(dir, 'base-blobs');
  const { signal } = new AbortController();
  const store = { blobDir, cacheDir: join(dir, 'base-cache'), signal };
  const { layers } = await readSourceLayout(locateTestBase(name), undefined, GZIP, store);
  return { blobDir, layers };
}

/** The small base that builds make of a JDK, /opt/java with little else, from the cache of those. */
export async function makeSmallBase(jdk: string, dir: string): Promise<{ blobDir: string; layers: readonly Layer[] }> {
  const plan = samplePlan();
  const workDir = join(dir, 'small-base');
  await mkdir(workDir, { recursive: true });
  const world = {
    workDir,
    cacheDir: join(CACHE, 'crac-build'),
    signal: new AbortController().signal,
    report: () => {},
  };
  const blobDir = join(workDir, 'blobs');
  const wanted = {
    ...plan,
    app: { ...plan.app, source: jarSource(join(PLAIN_HTTP, 'target/plain-http.jar')) },
    base: { kind: 'jdk', path: jdk, javaVersion: 17, modules: 'auto' },
  } as const;
  return { blobDir, layers: await takeBaseLayers(wanted, blobDir, world as unknown as World) };
}

export async function writeDockerArchive(image: OciImage, reference: string, file: string): Promise<void> {
  await pipeline(openDockerArchive(image, reference), createWriteStream(file));
}
