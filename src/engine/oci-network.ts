import { once } from 'node:events';
import type { Socket } from 'node:net';
import { CracBuildError } from '../errors.ts';
import type { Network } from './engine.ts';
import { spawnProgram, throwIfInterrupted } from './run-command.ts';

/** A network namespace with nothing but 127.0.0.1, kept by native/tools/netns.c, which ends with us; `id` is its process id. */
export async function openOciNetwork(tool: string, signal: AbortSignal): Promise<Network> {
  throwIfInterrupted(signal);
  const child = spawnProgram([tool], { stdio: ['pipe', 'pipe', 'pipe'] });
  const fail = (words: string, cause?: unknown): CracBuildError =>
    new CracBuildError('ENGINE_FAILED', `making a network for containers failed: ${words}`, {
      ...(/not permitted/.test(words) && { hint: 'The oci engine needs root with CAP_SYS_ADMIN.' }),
      cause,
    });
  await new Promise<void>((resolve, reject) => {
    let words = '';
    child.stdout?.once('data', () => resolve());
    child.stderr?.on('data', (chunk: Buffer) => {
      words += chunk.toString();
    });
    child.once('error', (error) => reject(fail(error.message, error)));
    child.once('close', () => reject(fail(words.trim() || 'it ended at once')));
  });
  // It must not keep a program alive that has forgotten to dispose of it. Its standard input stays open.
  child.unref();
  child.stdout?.destroy();
  child.stderr?.destroy();
  (child.stdin as Socket).unref();
  return {
    id: String(child.pid),
    isOneLoopback: true,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.ref(); // its end is waited for
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** The file that stands for the namespace. */
export function locateNetwork({ id }: Pick<Network, 'id'>): string {
  return `/proc/${id}/ns/net`;
}
