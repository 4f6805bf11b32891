import { explainConnection } from './explain-connection.ts';
import type { HttpAnswer } from './transport.ts';

/** All of it; undefined where it is more than that. TransientFailure where the connection breaks. */
export async function readBody({ body, url }: HttpAnswer, maxBytes: number): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const part of body as AsyncIterable<Buffer>) {
      parts.push(part);
      sizeBytes += part.length;
      if (sizeBytes > maxBytes) return undefined;
    }
  } catch (error) {
    throw explainConnection(error, url.host);
  }
  return Buffer.concat(parts);
}

/** Of an answer whose status says it all. */
export async function discardBody({ body }: HttpAnswer): Promise<void> {
  await body.dump().catch(() => undefined);
}
