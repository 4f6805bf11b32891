import type { Readable } from 'node:stream';
import { composeDockerError } from './docker-errors.ts';

/**
 * A multiplexed stream is a row of frames: 1 byte stream (1 stdout, 2 stderr), 3 zero bytes, 4 bytes length (big endian),
 * then the bytes. https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerAttach
 */
export async function collectFrames(stream: Readable): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= 8) {
      const end = 8 + rest.readUInt32BE(4);
      if (rest.length < end) break;
      (rest[0] === 2 ? stderr : stdout).push(rest.subarray(8, end));
      rest = rest.subarray(end);
    }
  }
  if (rest.length > 0) throw composeDockerError('read the output', 'the stream ended in the middle of a frame');
  return { stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() };
}

/** The frames' bytes of both streams, in order. */
export function joinFrames(frames: Buffer): string {
  const parts: Buffer[] = [];
  for (let at = 0; at + 8 <= frames.length; ) {
    const end = at + 8 + frames.readUInt32BE(at + 4);
    parts.push(frames.subarray(at + 8, end));
    at = end;
  }
  return Buffer.concat(parts).toString();
}

/**
 * Reads the JSON lines of images/load and images/create to their end. An error comes as a line of its own after HTTP 200:
 * {"error": "…", "errorDetail": {"message": "…"}}.
 */
export async function drainProgress(stream: Readable, what: string): Promise<readonly string[]> {
  const said: string[] = [];
  let rest = '';
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) readProgressLine(line, what, said);
  }
  readProgressLine(rest, what, said);
  return said;
}

function readProgressLine(line: string, what: string, said: string[]): void {
  if (line.trim() === '') return;
  const message = parseLine(line, what);
  const error = message.errorDetail?.message ?? message.error;
  if (error !== undefined) throw composeDockerError(what, error.trim());
  if (typeof message.stream === 'string') said.push(message.stream.trim());
}

interface ProgressLine {
  readonly stream?: unknown;
  readonly error?: string;
  readonly errorDetail?: { readonly message?: string };
}

function parseLine(line: string, what: string): ProgressLine {
  try {
    return JSON.parse(line) as ProgressLine;
  } catch (cause) {
    throw composeDockerError(what, `the answer is broken: ${line.slice(0, 200)}`, cause);
  }
}
