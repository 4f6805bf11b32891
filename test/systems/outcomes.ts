import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../e2e/support/build-example.ts';
import type { JavaVersion } from './systems.ts';

/** What came of one system on one JDK; scripts/write-systems-page.ts makes docs/systems.md of them. */
export interface Outcome {
  readonly system: string;
  readonly jdk: JavaVersion;
  readonly gc: string;
  /** To the first answer, container included, as a build measures it. */
  readonly restoredMs: number;
  readonly coldMs: number;
  /** Of the checkpoint layer. */
  readonly rawBytes: number;
  readonly compressedBytes: number;
}

export const OUTCOMES = join(ROOT, 'target/systems');

export async function keepOutcome(outcome: Outcome): Promise<void> {
  await mkdir(OUTCOMES, { recursive: true });
  const name = `${outcome.system}-${outcome.jdk}`.replaceAll(/[^a-z0-9]+/gi, '-');
  await writeFile(join(OUTCOMES, `${name}.json`), JSON.stringify(outcome));
}
