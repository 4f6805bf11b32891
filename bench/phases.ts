import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { composeRestore, composeVariant, type MeasuredApp } from './measured-app.ts';

/** Milliseconds by key: `restorer_ms`, the whole until the threads are let go, and `phase_…_ms`, its parts. */
export type Phases = Readonly<Record<string, number>>;

/** Where the restorer's time goes, as it tells it itself: a run of its own, because telling takes time. */
export async function measurePhases(app: MeasuredApp): Promise<Phases> {
  const log = join(app.dir, 'restorer.log');
  await writeFile(log, '');
  await composeVariant(app, 'restorer', composeRestore(app, 'CRAC_LOG=debug'), { log }).start();
  return parsePhases(await readFile(log, 'utf8'));
}

/** "crac: restored in 2913 us: checks 336, clearing 80, … (486 areas, …)" */
export function parsePhases(text: string): Phases {
  const match = /^crac: restored in (\d+) us: ([^(]+)/m.exec(text);
  if (match === null) throw new Error(`the restorer did not tell its time: ${text}`);
  const parts = [...(match[2] ?? '').matchAll(/(\w+) (\d+)/g)];
  return {
    restorer_ms: Number(match[1]) / 1000,
    ...Object.fromEntries(parts.map(([, name, us]) => [`phase_${name}_ms`, Number(us) / 1000])),
  };
}
