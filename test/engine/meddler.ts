import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Transform } from 'node:stream';

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** Of the request's body, as far as it came through. */
  sentBytes: number;
  /** Of the answer's body. */
  receivedBytes: number;
}

/** What becomes of one request; nothing: it goes through as it is. */
export interface Meddling {
  /** Answered without asking. */
  readonly answer?: { readonly status: number; readonly headers?: Readonly<Record<string, string>> };
  /** The connection is cut after that much of the request's body. */
  readonly cutRequestAfter?: number;
  readonly cutAnswerAfter?: number;
  /** The answer comes to the registry's client only as far as its end. */
  readonly loseAnswer?: boolean;
  /** The bits of this byte of the answer are turned over. */
  readonly flipAt?: number;
}

export interface Meddler extends AsyncDisposable {
  readonly host: string;
  readonly seen: readonly Seen[];
  /** Asked about each request. */
  meddle: (seen: Seen) => Meddling | undefined;
}

/** An HTTP proxy before a registry that looks at every request, and breaks some. */
export async function startMeddler(port: number): Promise<Meddler> {
  const seen: Seen[] = [];
  const server = createServer((incoming, outgoing) => {
    const { method = '', url = '', headers } = incoming;
    const one: Seen = { method, path: url, headers, sentBytes: 0, receivedBytes: 0 };
    seen.push(one);
    passOn(port, incoming, outgoing, one, meddler.meddle(one) ?? {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const meddler: Meddler = {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    meddle: () => undefined,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return meddler;
}

function passOn(
  port: number,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  seen: Seen,
  { answer, cutRequestAfter, cutAnswerAfter, loseAnswer, flipAt }: Meddling,
): void {
  if (answer !== undefined) {
    incoming.resume();
    outgoing.writeHead(answer.status, answer.headers).end();
    return;
  }
  const forward = request(
    { host: '127.0.0.1', port, method: seen.method, path: seen.path, headers: incoming.headers },
    (response) => {
      if (loseAnswer) {
        response.resume();
        response.once('end', () => outgoing.destroy());
        return;
      }
      outgoing.writeHead(response.statusCode ?? 500, response.headers);
      const meter = openMeter(
        (count) => {
          const before = seen.receivedBytes;
          seen.receivedBytes += count;
          return cutAnswerAfter === undefined || seen.receivedBytes < cutAnswerAfter
            ? count
            : Math.max(0, cutAnswerAfter - before);
        },
        () => {
          // What was written must have left before.
          setTimeout(() => {
            outgoing.destroy();
            response.destroy();
          }, 50);
        },
        flipAt,
      );
      response.pipe(meter).pipe(outgoing);
    },
  );
  forward.on('error', () => outgoing.destroy());
  const meter = openMeter(
    (count) => {
      seen.sentBytes += count;
      return cutRequestAfter === undefined || seen.sentBytes < cutRequestAfter ? count : 0;
    },
    () => {
      forward.destroy();
      incoming.destroy();
    },
  );
  incoming.pipe(meter).pipe(forward);
  incoming.on('error', () => forward.destroy());
  outgoing.on('close', () => {
    if (!outgoing.writableFinished) forward.destroy();
  });
}

/** `take` says how much of a chunk may pass; the first that may not pass whole is the last. */
function openMeter(take: (count: number) => number, cut: () => void, flipAt?: number): Transform {
  let position = 0;
  let isCut = false;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (isCut) return;
      const passing = take(chunk.length);
      const bytes = Buffer.from(chunk.subarray(0, passing));
      if (flipAt !== undefined && flipAt >= position && flipAt < position + bytes.length) {
        bytes[flipAt - position] = ~(bytes[flipAt - position] ?? 0) & 0xff;
      }
      position += bytes.length;
      if (passing < chunk.length) isCut = true;
      done(null, bytes);
      if (isCut) cut();
    },
    // An end would let go of the connection that is to be cut.
    flush(done) {
      if (!isCut) done();
    },
  });
}
