import type { IncomingHttpHeaders } from 'node:http';
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';

export interface Answer {
  /** That was asked. */
  readonly path: string;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** As it came: perhaps compressed. */
  readonly body: Uint8Array;
}

export function readText({ headers, body }: Answer): string {
  return new TextDecoder().decode(decompress(body, `${headers['content-encoding'] ?? ''}`));
}

/** Of a header that came several times, the first. */
export function readHeader({ headers }: Answer, name: string): string | undefined {
  const value = headers[name.toLowerCase()];
  return Array.isArray(value) ? value[0] : value;
}

/** Bytes that cannot be taken for what they are said to be stay as they came. */
function decompress(body: Uint8Array, encoding: string): Uint8Array {
  try {
    if (/^(x-)?gzip$/.test(encoding)) return gunzipSync(body);
    if (encoding === 'deflate') return inflateSync(body);
    if (encoding === 'br') return brotliDecompressSync(body);
  } catch {}
  return body;
}
