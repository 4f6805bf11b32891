import { type Command, InvalidArgumentError } from 'commander';
import { parseHost } from '../config/words.ts';

/** Of commands that read images from registries. */
export interface InsecureFlag {
  readonly insecure?: readonly string[];
}

export function addInsecureFlag(command: Command): Command {
  const words = 'a registry without TLS, or whose certificate is not to be checked; can be given again';
  return command.option('--insecure <host[:port]>', words, appendHost);
}

function appendHost(text: string, before: readonly string[] = []): readonly string[] {
  const host = parseHost(text);
  if (host === undefined) throw new InvalidArgumentError('Expected "HOST" or "HOST:PORT".');
  return [...before, host];
}
