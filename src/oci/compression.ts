import { type Duplex, PassThrough } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { openGzip } from './gzip.ts';
import type { Compression, LayerCompression } from './image.ts';
import { openUnzstd, openZstd } from './zstd.ts';

/** gzip is what everyone reads. Its level 9 takes three times as long for 1 % on a JDK. */
export const DEFAULT_COMPRESSION: Compression = { compression: 'gzip', compressionLevel: 6 };

/** The highest level of each; those of zstd above it make readers hold more memory than many allow. */
export const MAX_LEVELS: Readonly<Record<LayerCompression, number>> = { gzip: 9, zstd: 19 };

/** Equal input gives equal output with the same release of Node.js, or of zstd where its command is used. */
export function openCompressor({ compression, compressionLevel }: Compression): Duplex {
  return compression === 'gzip' ? openGzip(compressionLevel) : openZstd(compressionLevel);
}

export function openDecompressor(compression: LayerCompression | 'none'): Duplex {
  if (compression === 'none') return new PassThrough();
  return compression === 'gzip' ? createGunzip() : openUnzstd();
}
