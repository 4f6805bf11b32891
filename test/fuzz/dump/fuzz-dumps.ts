/** Throws damaged dumps at the compile step: first what was found before, then more and more of what leads to new code. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openRandom } from '../random.ts';
import { openCoverageMeter } from './coverage.ts';
import { applyCase, type KeptCase, keepCase, type Mode } from './kept-case.ts';
import { type DumpFiles, mutateDump } from './mutate-dump.ts';
import { limitAllocations, openCaseFolder, runCase } from './run-case.ts';
import { makeSeeds, type Seed } from './seeds.ts';
import { watchProgress } from './watch-progress.ts';

export interface FuzzOptions {
  readonly seconds: number;
  readonly seed: number;
  /** The repository. */
  readonly repo: string;
}

interface Case {
  readonly origin: Seed;
  readonly seedIndex: number;
  readonly files: DumpFiles;
}

/** False when something was found; it is then in target/fuzz. */
export async function fuzzDumps({ seconds, seed, repo }: FuzzOptions): Promise<boolean> {
  using made = await makeSeeds();
  using meter = openCoverageMeter(import.meta.url);
  const random = openRandom(seed);
  // Thousands of small files: in memory where that is possible.
  const work = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'crac-fuzz-'));
  const writeCase = openCaseFolder(join(work, 'dump'));
  const progress = watchProgress(join(work, 'dump'));
  const counts: Record<string, number> = {};
  limitAllocations();

  const tryOne = async (one: Case, mode: Mode, name: string): Promise<string | undefined> => {
    writeCase(one.files);
    progress.step();
    try {
      const outcome = await runCase(join(work, 'dump'), join(work, 'out'), one.origin.root, mode);
      counts[outcome] = (counts[outcome] ?? 0) + 1;
      return outcome;
    } catch (error) {
      const place = join(repo, 'target/fuzz', `dump-${seed}-${name.replaceAll(/\W+/g, '-')}.json`);
      mkdirSync(join(repo, 'target/fuzz'), { recursive: true });
      const kept = keepCase(one.seedIndex, mode, one.origin.files, one.files);
      writeFileSync(place, `${JSON.stringify(kept, null, 2)}\n`);
      console.log(`${name}: ${error instanceof Error ? error.stack : error}\n${place}`);
      return undefined;
    }
  };

  try {
    const seeds: Case[] = made.seeds.map((origin, seedIndex) => ({ origin, seedIndex, files: origin.files }));
    for (const [name, kept] of readKept(join(repo, 'test/fuzz/corpus/dump'))) {
      const parent = seeds[kept.seed];
      if (parent === undefined) throw new Error(`${name}: there is no seed ${kept.seed}`);
      const files = applyCase(parent.files, kept);
      if ((await tryOne({ ...parent, files }, kept.mode, name)) === undefined) return false;
    }
    const found: Case[] = [];
    const end = performance.now() + seconds * 1000;
    let count = 0;
    for (; performance.now() < end; count++) {
      const parent = random.pick(random.below(4) === 0 ? seeds : [...seeds, ...found]);
      if (parent === undefined) break;
      const next = {
        ...parent,
        files: mutateDump(
          parent.files,
          seeds.map(({ files }) => files),
          random,
        ),
      };
      const outcome = await tryOne(next, random.below(3) === 0 ? 'read' : 'map', `run ${count}`);
      if (outcome === undefined) return false;
      // What cannot even be decoded leads no further.
      if (meter.takeIsNew() && outcome !== 'CHECKPOINT_FAILED') found.push(next);
    }
    console.log(`${count} dumps, ${meter.seenCount} ways through functions: ${JSON.stringify(counts)}`);
    return true;
  } finally {
    progress.stop();
    rmSync(work, { recursive: true, force: true });
  }
}

function readKept(dir: string): readonly (readonly [name: string, kept: KeptCase])[] {
  return readdirSync(dir).map((name) => [name, JSON.parse(readFileSync(join(dir, name), 'utf8')) as KeptCase]);
}
