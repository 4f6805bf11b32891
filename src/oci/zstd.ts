import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { Duplex, type Readable, type Writable } from 'node:stream';
import zlib from 'node:zlib';
import { CracBuildError } from '../errors.ts';
import { compressBlocks } from './compress-blocks.ts';

export interface ZstdTools {
  readonly command: string;
  /** Of node:zlib, which has it from Node.js 22.15 on. */
  readonly zstdCompress?: ZstdCompress | undefined;
}

type ZstdCompress = (
  bytes: Buffer,
  options: { readonly params: Readonly<Record<number, number>> },
  done: (error: Error | null, compressed: Buffer) => void,
) => void;

/** ZSTD_c_compressionLevel of zstd.h. */
const LEVEL_PARAMETER = 100;
/** Of input: larger than the window of any level that is used. */
const BLOCK_BYTES = 16 << 20;

const OWN_TOOLS: ZstdTools = {
  command: 'zstd',
  zstdCompress: (zlib as { readonly zstdCompress?: ZstdCompress }).zstdCompress,
};

/** One frame for each block with Node's own zstd, else one frame by the command. Either gives the same bytes on any number of processors. */
export function openZstd(level: number, { zstdCompress, command } = OWN_TOOLS): Duplex {
  // -T0 is for all processors, and even with one cuts the input as with many.
  if (zstdCompress === undefined) return openFilter(command, [`-${level}`, '-T0']);
  return compressBlocks(
    BLOCK_BYTES,
    (block) =>
      new Promise((resolve, reject) => {
        zstdCompress(block, { params: { [LEVEL_PARAMETER]: level } }, (error, compressed) => {
          if (error === null) resolve(compressed);
          else reject(error);
        });
      }),
  );
}

/** By the command, not by Node.js, whose decompressor takes the end of a frame, and where the input is cut off, for the end of all. */
export function openUnzstd({ command } = OWN_TOOLS): Duplex {
  return openFilter(command, ['--decompress']);
}

/** Rejects where openZstd(), or with `toRead` openUnzstd() or `tar --zstd`, would fail for want of a command. */
export async function requireZstd(toRead: boolean, { zstdCompress, command } = OWN_TOOLS): Promise<void> {
  if (!toRead && zstdCompress !== undefined) return;
  const child = spawn(command, ['--version'], { stdio: 'ignore' });
  await new Promise<void>((resolve, reject) => {
    child.once('error', (error) => reject(explainMissing(error)));
    child.once('close', () => resolve());
  });
}

/** The command between two pipes. Its end is the end of the output only when it says that all went well. */
function openFilter(command: string, options: readonly string[]): Duplex {
  const child = spawn(command, ['--quiet', '--stdout', ...options], { stdio: 'pipe' });
  const words: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => words.push(chunk));
  const filter = composeFilter(child);
  child.once('error', (error) => filter.destroy(explainMissing(error)));
  child.once('close', (exitCode, signal) => {
    if (exitCode === 0) filter.push(null);
    else filter.destroy(new Error(Buffer.concat(words).toString().trim() || `zstd ended with ${exitCode ?? signal}`));
  });
  return filter;
}

function composeFilter(child: ChildProcessByStdio<Writable, Readable, Readable>): Duplex {
  const { stdin, stdout } = child;
  const filter = new Duplex({
    write: (chunk: Buffer, _encoding, done) => void stdin.write(chunk, () => done()),
    final: (done) => void stdin.end(() => done()),
    read: () => void stdout.resume(),
    destroy(error, done) {
      child.kill('SIGKILL');
      done(error);
    },
  });
  stdin.on('error', () => undefined); // it has ended, and its exit code says why
  stdout.on('data', (chunk: Buffer) => {
    if (!filter.push(chunk)) stdout.pause();
  });
  return filter;
}

function explainMissing(cause: Error): CracBuildError {
  return new CracBuildError(
    'INPUT_NOT_FOUND',
    `cannot run zstd, which layers need that are compressed so: ${cause.message}`,
    {
      hint: 'Install it (apt-get install zstd), or use image.compression gzip (--compression gzip).',
      cause,
    },
  );
}
