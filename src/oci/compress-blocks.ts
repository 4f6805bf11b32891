import { availableParallelism } from 'node:os';
import { Transform, type TransformCallback } from 'node:stream';

/**
 * Compresses blocks of fixed size beside each other and puts the results one behind the other: for formats in which that is
 * a whole file again. The bytes do not depend on the number of processors.
 */
export function compressBlocks(blockBytes: number, compress: (block: Buffer) => Promise<Buffer>): Transform {
  const inFlight: Promise<Buffer>[] = [];
  const limit = availableParallelism() + 1;
  let parts: Buffer[] = [];
  let size = 0;
  let isEmpty = true;

  const start = (block: Buffer) => {
    isEmpty = false;
    const compressed = compress(block);
    compressed.catch(() => undefined); // is seen when its turn comes
    inFlight.push(compressed);
  };
  const passOn = async (stream: Transform, atMost: number) => {
    while (inFlight.length > atMost) stream.push(await inFlight.shift());
  };
  const take = async (stream: Transform, chunk: Buffer) => {
    parts.push(chunk);
    size += chunk.length;
    if (size < blockBytes) return;
    const bytes = Buffer.concat(parts);
    let done = 0;
    for (; size - done >= blockBytes; done += blockBytes) {
      start(bytes.subarray(done, done + blockBytes));
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
