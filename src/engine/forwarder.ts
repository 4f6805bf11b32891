import type { Socket } from 'node:net';
import { CracBuildError } from '../errors.ts';
import { spawnProgram } from './run-command.ts';

export interface Forwarder {
  readonly port: number;
  stop(): void;
}

/** Starts native/tools/forward.c, which ends with us: it watches its standard input. */
export async function startForwarder(tool: string, pid: number, port: number): Promise<Forwarder> {
  const child = spawnProgram([tool, String(pid), String(port)], { stdio: ['pipe', 'pipe', 'pipe'] });
  const fail = (words: string, cause?: unknown): CracBuildError =>
    new CracBuildError('ENGINE_FAILED', `forwarding a port to ${port} in the container failed: ${words}`, { cause });
  const printed = await new Promise<string>((resolve, reject) => {
    let words = '';
    child.stdout?.once('data', (chunk: Buffer) => resolve(chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => {
      words += chunk.toString();
    });
    child.once('error', (error) => reject(fail(error.message, error)));
    child.once('close', () => reject(fail(words.trim() || 'it ended at once')));
  });
  // It must not keep a program alive that has forgotten to dispose of its container. Its standard input stays open.
  child.unref();
  child.stdout?.destroy();
  child.stderr?.destroy();
  (child.stdin as Socket).unref();
  return { port: Number(printed), stop: () => child.kill('SIGKILL') };
}
