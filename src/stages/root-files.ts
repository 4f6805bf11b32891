import { createWriteStream } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Checkpoint, RootFile } from '../criu/checkpoint.ts';
import type { Container } from '../engine/engine.ts';
import { explainNoSpace } from '../oci/space.ts';
import { readTar } from '../tar/read-tar.ts';

const MAX_LINKS = 10;

/**
 * Files of the container's root: where they are, or copied to `dir` when they are first asked for. The container must live, and
 * its app stand still, for as long as they are read.
 */
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
  const locate = async (path: string): Promise<RootFile | undefined> => {
    const localPath = await container.locateFile?.(path);
    if (localPath === undefined) return undefined;
    const { size, mtimeMs } = await stat(localPath);
    return { sizeBytes: size, mtimeSeconds: Math.floor(mtimeMs / 1000), localPath };
  };
  return (path) => {
    const known = files.get(path);
    if (known !== undefined) return known;
    const read = container.locateFile === undefined ? (asked: string) => readOne(asked, 0) : locate;
    const reading = read(posix.resolve('/', path)).catch((error: unknown) => {
      throw explainNoSpace(error, `copying ${path} to ${dir}`);
    });
    files.set(path, reading);
    return reading;
  };
}
