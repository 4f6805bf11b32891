import { availableParallelism } from 'node:os';
import { Transform, type TransformCallback } from 'node:stream';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const compress: (bytes: Buffer, options: { level: number; memLevel: number }) => Promise<Buffer> = promisify(gzip);

/** Of input. A smaller one would compress worse: each begins without a past. */
const BLOCK_BYTES = 4 << 20;

/**
 * Compresses blocks of fixed size beside each other into a gzip stream of several members (RFC 1952, 2.2), which every
 * reader takes for one. The bytes do not depend on the number of processors. Node's header holds no name and no time.
 */
export function openGzip(level: number): Transform {
  const inFlight: Promise<Buffer>[] = [];
  const limit = availableParallelism() + 1;
  let parts: Buffer[] = [];
  let size = 0;
  let isEmpty = true;

  const start = (block: Buffer) => {
    isEmpty = false;
    const compressed = compress(block, { level, memLevel: 9 });
    compressed.catch(() => undefined); // is seen when its turn comes
    inFlight.push(compressed);
  };
  const passOn = async (stream: Transform, atMost: number) => {
    while (inFlight.length > atMost) stream.push(await inFlight.shift());
  };
  const take = async (stream: Transform, chunk: Buffer) => {
    parts.push(chunk);
    size += chunk.length;
    if (size < BLOCK_BYTES) return;
    const bytes = Buffer.concat(parts);
    let done = 0;
    for (; size - done >= BLOCK_BYTES; done += BLOCK_BYTES) {
      start(bytes.subarray(done, done + BLOCK_BYTES));
      await passOn(stream, limit);
    }
    parts = [bytes.subarray(done)];
    size -= done;
  };
  const finish = async (stream: Transform) => {
    if (size > 0 || isEmpty) start(Buffer.concat(parts));
    await passOn(stream, 0);
  };
  const settle = (work: Promise<void>, done: TransformCallback) => {
    work.then(() => done(), done);
  };
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      settle(take(this, chunk), done);
    },
    flush(done) {
      settle(finish(this), done);
    },
  });
}
