/**
 * Throws damaged dumps at the compile step:
 *   node scripts/run-ts.mjs test/fuzz/dump/main.ts [--seconds N] [--runs N] [--seed N]
 * What was found before (test/fuzz/corpus/dump) comes first. A find is written to target/fuzz and ends the run with 1.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync, gzipSync } from 'node:zlib';
import { openRandom } from '../random.ts';
import { openCoverageMeter } from './coverage.ts';
import { type DumpFiles, mutateDump } from './mutate-dump.ts';
import { limitAllocations, openCaseFolder, runCase } from './run-case.ts';
import { makeSeeds, type Seed } from './seeds.ts';
import { watchProgress } from './watch-progress.ts';

/** A found case as it is kept: the images that differ from the seed's (gzip, base64), null for one that is gone. */
interface KeptCase {
  readonly seed: number;
  readonly mode: 'map' | 'read';
  readonly images: Readonly<Record<string, string | null>>;
}

const repo = join(process.argv[1] ?? '', '../../../..');
const corpus = join(repo, 'test/fuzz/corpus/dump');
const finds = join(repo, 'target/fuzz');
const { values } = parseArgs({
  options: { seconds: { type: 'string' }, runs: { type: 'string' }, seed: { type: 'string' } },
});
const seconds = Number(values.seconds ?? 10);
const runs = Number(values.runs ?? Number.POSITIVE_INFINITY);
const seed = Number(values.seed ?? Date.now() % 1_000_000);

using made = makeSeeds();
using meter = openCoverageMeter(import.meta.url);
const work = mkdtempSync('/dev/shm/crac-fuzz-');
const writeCase = openCaseFolder(join(work, 'dump'));
const progress = watchProgress(join(work, 'dump'));
const counts: Record<string, number> = {};
limitAllocations();
process.exitCode = (await fuzz()) ? 0 : 1;
progress.stop();
rmSync(work, { recursive: true, force: true });

async function fuzz(): Promise<boolean> {
  console.log(`seed ${seed}`);
  const random = openRandom(seed);
  const interesting = made.seeds.map((origin, index) => ({ origin, index, files: origin.files }));
  for (const name of readdirSync(corpus).filter((file) => file.endsWith('.json'))) {
    const kept = JSON.parse(readFileSync(join(corpus, name), 'utf8')) as KeptCase;
    const origin = made.seeds[kept.seed];
    if (origin === undefined) throw new Error(`${name}: there is no seed ${kept.seed}`);
    if ((await tryOne(origin, kept.seed, applyKept(origin.files, kept), kept.mode, name)) === undefined) return false;
  }
  const end = performance.now() + seconds * 1000;
  let count = 0;
  for (; count < runs && performance.now() < end; count++) {
    const parent = random.pick(random.below(4) === 0 ? interesting.slice(0, made.seeds.length) : interesting);
    if (parent === undefined) break;
    const files = mutateDump(
      parent.files,
      made.seeds.map((other) => other.files),
      random,
    );
    const mode = random.below(3) === 0 ? 'read' : 'map';
    const outcome = await tryOne(parent.origin, parent.index, files, mode, `run ${count}`);
    if (outcome === undefined) return false;
    // What cannot even be decoded leads no further.
    if (meter.takeIsNew() && outcome !== 'CHECKPOINT_FAILED') interesting.push({ ...parent, files });
  }
  console.log(`${count} dumps, ${meter.seenCount} ways through functions: ${JSON.stringify(counts)}`);
  return true;
}

async function tryOne(origin: Seed, index: number, files: DumpFiles, mode: 'map' | 'read', name: string) {
  writeCase(files);
  progress.step();
  try {
    const outcome = await runCase(join(work, 'dump'), join(work, 'out'), origin.root, mode);
    counts[outcome] = (counts[outcome] ?? 0) + 1;
    return outcome;
  } catch (error) {
    mkdirSync(finds, { recursive: true });
    const place = join(finds, `dump-${seed}-${name.replaceAll(/\W+/g, '-')}.json`);
    writeFileSync(place, `${JSON.stringify(keep(origin.files, index, files, mode), null, 2)}\n`);
    console.log(`${name}: ${error instanceof Error ? error.stack : error}\n${place}`);
    return undefined;
  }
}

function keep(before: DumpFiles, index: number, files: DumpFiles, mode: 'map' | 'read'): KeptCase {
  const names = [...new Set([...before.keys(), ...files.keys()])].filter(
    (name) => before.get(name) !== files.get(name),
  );
  const images = names.map((name) => [name, zip(files.get(name))]);
  return { seed: index, mode, images: Object.fromEntries(images) };
}

function zip(image: Buffer | undefined): string | null {
  return image === undefined ? null : gzipSync(image).toString('base64');
}

function applyKept(before: DumpFiles, { images }: KeptCase): DumpFiles {
  const files = new Map(before);
  for (const [name, content] of Object.entries(images))
    if (content === null) files.delete(name);
    else files.set(name, gunzipSync(Buffer.from(content, 'base64')));
  return files;
}
