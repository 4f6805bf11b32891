import { z } from 'zod';
import type { Container } from '../engine/engine.ts';
import type { JitSample } from '../warm-up/jit-sample.ts';
import { CTL } from './control.ts';
import type { AppUser } from './run-criu.ts';

const count = z.number().int().nonnegative().nullable();
const facts = z.object({
  atNs: z.number(),
  compilerNs: z.number().nonnegative(),
  awakeCompilers: z.number().int().nonnegative(),
  compilations: count,
  discardedCode: count,
  loadedClasses: count,
  collections: count,
  collectionNs: count,
});

/** `ctl facts`: what the JVM told within `forMs`, by its own clock; none where no JVM answers. */
export async function askJitFacts(
  container: Pick<Container, 'exec'>,
  user: AppUser,
  forMs: number,
  signal: AbortSignal,
): Promise<readonly JitSample[]> {
  const argv = [CTL, 'facts', '--for-ms', String(forMs)];
  const { stdout } = await container.exec(argv, { user: `${user.uid}:${user.gid}`, signal });
  return stdout.split('\n').flatMap(parseFacts);
}

/** The last line may be an error. */
function parseFacts(line: string): readonly JitSample[] {
  if (!line.startsWith('{"atNs"')) return [];
  const { atNs, compilerNs, collectionNs, ...counts } = facts.parse(JSON.parse(line));
  const collectionMs = collectionNs === null ? null : collectionNs / 1e6;
  return [{ ...counts, atMs: atNs / 1e6, compilerMs: compilerNs / 1e6, collectionMs }];
}
