import type { Transform } from 'node:stream';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { compressBlocks } from './compress-blocks.ts';

const compress: (bytes: Buffer, options: { level: number; memLevel: number }) => Promise<Buffer> = promisify(gzip);

/** Of input. A smaller one would compress worse: each begins without a past. */
const BLOCK_BYTES = 4 << 20;

/** A gzip stream of several members (RFC 1952, 2.2), which every reader takes for one. Node's header holds no name and no time. */
export function openGzip(level: number): Transform {
  return compressBlocks(BLOCK_BYTES, (block) => compress(block, { level, memLevel: 9 }));
}
