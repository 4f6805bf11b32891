import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ImageConfig, LayerCompression, OciImage } from '../../src/oci/image.ts';
import { writeLayer } from '../../src/oci/layer.ts';
import { composeDirectory, composeFile, composeSymlink, type TarEntry } from '../../src/tar/entry.ts';

export interface ImageFixture extends AsyncDisposable {
  readonly image: OciImage;
  readonly dir: string;
}

/** Two layers: the subject and some files; then one that changes and removes. */
export async function makeFixtureImage(
  config: Partial<ImageConfig> = {},
  compression: LayerCompression = 'gzip',
): Promise<ImageFixture> {
  const dir = await mkdtemp(join(tmpdir(), 'crac-build-fixture-'));
  const subject = join(dir, 'subject');
  // The linker warns that names are looked up by the libc of the machine.
  execFileSync('gcc', ['-static', '-O1', '-o', subject, 'test/engine/subject.c'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const sizeBytes = (await stat(subject)).size;
  const lower: TarEntry[] = [
    composeDirectory('bin'),
    composeFile('bin/subject', { localPath: subject, sizeBytes }, 0o755),
    composeDirectory('etc'),
    composeFile('etc/passwd', Buffer.from('root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n')),
    composeFile('etc/group', Buffer.from('root:x:0:\napp:x:1000:\n')),
    composeDirectory('tmp', 0o1777),
    composeDirectory('data', 0o755, { uid: 1000, gid: 1000 }),
    composeFile('data/kept', Buffer.from('kept'), 0o640, { uid: 1000, gid: 1000, mtimeSeconds: 1_000_000_000 }),
    composeFile('data/replaced', Buffer.from('old'), 0o644, { uid: 1000, gid: 1000 }),
    composeFile('data/hidden', Buffer.from('hidden')),
    composeDirectory('data/folder', 0o755, { uid: 1000, gid: 1000 }),
    composeFile('data/folder/inside', Buffer.from('inside')),
    composeSymlink('escape', '/etc'),
    composeSymlink('climb', '../../../../../../etc'),
  ];
  const upper: TarEntry[] = [
    composeDirectory('data', 0o755, { uid: 1000, gid: 1000 }),
    composeFile('data/replaced', Buffer.from('new'), 0o644, { uid: 1000, gid: 1000 }),
    composeFile('data/.wh.hidden', Buffer.alloc(0)),
  ];
  const blobDir = join(dir, 'blobs');
  return {
    dir,
    image: {
      blobDir,
      layers: [
        await writeLayer(blobDir, 'base', lower, { compression }),
        await writeLayer(blobDir, 'state', upper, { compression }),
      ],
      config: {
        architecture: 'amd64',
        os: 'linux',
        user: '1000:1000',
        environment: { FROM_IMAGE: 'image', OVERRIDDEN: 'image' },
        entrypoint: ['/bin/subject'],
        command: ['serve', '8080'],
        workingDir: '/data',
        ports: [8080],
        labels: {},
        stopSignal: 'SIGTERM',
        ...config,
      },
    },
    async [Symbol.asyncDispose]() {
      await rm(dir, { recursive: true, force: true });
    },
  };
}
