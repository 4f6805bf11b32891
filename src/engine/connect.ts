import { isCracBuildError } from '../errors.ts';
import { connectDocker } from './docker.ts';
import type { Engine } from './engine.ts';
import { connectOciRuntime } from './oci-runtime.ts';

export interface ConnectOptions {
  readonly cacheDir: string;
  readonly nativeDir: string;
  readonly signal: AbortSignal;
  /** DOCKER_HOST and its companions are read from here. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** `auto`: Docker where a daemon answers, else crun, else runc. A daemon that answers with an error is an error. */
export async function connectEngine(choice: 'auto' | 'docker' | 'oci', options: ConnectOptions): Promise<Engine> {
  const { environment = {}, signal } = options;
  if (choice === 'oci') return await connectOciRuntime(options);
  try {
    return await connectDocker(environment, signal);
  } catch (error) {
    const isNamed = choice === 'docker' || Boolean(environment['DOCKER_HOST']);
    if (isNamed || !isCracBuildError(error, 'ENGINE_UNAVAILABLE')) throw error;
  }
  return await connectOciRuntime(options);
}
