import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Checkpoint, RootFile } from '../criu/checkpoint.ts';
import type { Container } from '../engine/engine.ts';
import { explainNoSpace } from '../oci/space.ts';
import { readTar } from '../tar/read-tar.ts';

const MAX_LINKS = 10;

/** Files of the container's root, copied to `dir` when they are first asked for. The container must live until then. */
export function readRootFiles(container: Container, dir: string, signal: AbortSignal): Checkpoint['rootFile'] {
  const files = new Map<string, Promise<RootFile | undefined>>();
  const readOne = async (path: string, links: number): Promise<RootFile | undefined> => {
    const tar = await container.copyOut(path, signal);
    if (tar === undefined) return undefined;
    for await (const { header, content } of readTar(tar)) {
      if (header.type === 'symlink' && header.target !== undefined && links < MAX_LINKS) {
        return await readOne(posix.resolve(posix.dirname(path), header.target), links + 1);
      }
      if (header.type !== 'file') return undefined;
      const localPath = join(dir, path);
      await mkdir(dirname(localPath), { recursive: true });
      await pipeline(Readable.from(content), createWriteStream(localPath), { signal });
      return { sizeBytes: header.sizeBytes, mtimeSeconds: header.mtimeSeconds, localPath };
    }
    return undefined;
  };
  return (path) => {
    const known = files.get(path);
    if (known !== undefined) return known;
    const reading = readOne(posix.resolve('/', path), 0).catch((error: unknown) => {
      throw explainNoSpace(error, `copying ${path} to ${dir}`);
    });
    files.set(path, reading);
    return reading;
  };
}
