/**
 * Opens a WebSocket, sends messages, and waits for an answer to each.
 *
 * options: { path: /ws, messages: ['hello'], contains: 'hello', subprotocol: chat }
 * Each message counts as a request, "ws /ws", and so does the handshake, "ws-open /ws". `contains`: a text of every answer.
 */
import type { WarmUp } from 'crac-build/warm-up';
import { type MessageEvent, WebSocket } from 'undici';

const warmUp: WarmUp = async (app) => {
  const { path = '/ws', messages = ['hello'], contains, subprotocol } = app.options;
  const { host, port } = await app.endpoint();
  const socket = new WebSocket(`ws://${host}:${port}${path}`, subprotocol === undefined ? [] : [String(subprotocol)]);
  const next = openInbox(socket, app.signal);
  try {
    await app.measure(`ws-open ${path}`, () => next('open'));
    for (const message of messages as readonly unknown[]) {
      await app.measure(`ws ${path}`, async () => {
        socket.send(String(message));
        const answer = await next('message');
        if (contains !== undefined && !answer.includes(String(contains)))
          throw new Error(
            `the WebSocket ${path} answered ${JSON.stringify(answer)} without ${JSON.stringify(contains)}`,
          );
      });
    }
  } finally {
    socket.close();
  }
};

export default warmUp;

/** Waits for one event; whatever ends the connection fails it. */
function openInbox(socket: WebSocket, signal: AbortSignal): (event: 'open' | 'message') => Promise<string> {
  const arrived: string[] = [];
  let wake = () => {};
  let opened = false;
  let broken: Error | undefined;
  const fail = (why: string) => {
    broken ??= new Error(`${why} (${socket.url})`);
    wake();
  };
  socket.addEventListener('open', () => {
    opened = true;
    wake();
  });
  socket.addEventListener('message', ({ data }: MessageEvent) => {
    arrived.push(String(data));
    wake();
  });
  socket.addEventListener('error', ({ message }) => fail(`the WebSocket failed: ${message || 'no handshake'}`));
  socket.addEventListener('close', ({ code }) => fail(`the WebSocket was closed with code ${code}`));
  signal.addEventListener('abort', () => fail('the warm-up is over'));
  return async (event) => {
    for (;;) {
      if (event === 'open' && opened) return '';
      const message = event === 'message' ? arrived.shift() : undefined;
      if (message !== undefined) return message;
      if (broken !== undefined) throw broken;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
}
