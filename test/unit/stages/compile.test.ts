import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from '../../../src/engine/engine.ts';
import { compileCheckpoint } from '../../../src/stages/compile.ts';
import { fakeWorld } from '../../support/fake-world.ts';
import { samplePlan } from '../../support/sample-plan.ts';
import { factsOf, makeSample, type Sample, writeSample } from '../restore-plan/sample-dump.ts';

let sample: Sample;
beforeEach(() => {
  sample = makeSample();
});
afterEach(() => rmSync(sample.dir, { recursive: true, force: true }));

/** What is told on the way. */
async function compile(memory: 'map' | 'read'): Promise<readonly string[]> {
  const world = { ...fakeWorld({} as Engine), workDir: sample.dir };
  writeSample(sample);
  const checkpoint = { ...factsOf(sample), imagesDir: sample.dir, stateTar: '' };
  await compileCheckpoint(samplePlan({ checkpoint: { memory } }), checkpoint, world);
  return world.events.map((event) => (event.type === 'stage-progress' ? event.text : event.type));
}

function useAllocator(): void {
  const source = join(sample.dir, 'malloc.c');
  const localPath = join(sample.dir, 'libmalloc.so');
  writeFileSync(source, 'int madvise(void *, long, int); int give(void *at) { return madvise(at, 4096, 4); }');
  execFileSync('gcc', ['-shared', '-fPIC', '-o', localPath, source]);
  const library = sample.root.get('/lib/library');
  if (library !== undefined) sample.root.set('/lib/library', { ...library, localPath });
}

test('it tells how much there is, and that the native part is missing, and why nothing is left out as free', async () => {
  expect(await compile('map')).toEqual([
    '1 threads, 5 areas, 0 descriptors',
    expect.stringMatching(/^comparing pages in JavaScript: Error: Cannot find module .*pages\.node/),
    'free parts of the Java heap are kept: the JVM does not tell where its heap is',
    'free parts of the code cache are kept: no libjvm.so is mapped',
    "free parts of HotSpot's arenas are kept: no libjvm.so is mapped",
    'free parts of metaspace are kept: no libjvm.so is mapped',
    "free parts of malloc's memory are kept: the process has a single thread",
  ]);
});

test('it tells for whose sake memory is read that would be mapped', async () => {
  useAllocator();
  expect(await compile('map')).toContain(
    'memory outside of the Java heap is read, not mapped: /lib/library may count on zeros in what it gives back',
  );
  expect((await compile('read')).join()).not.toContain('/lib/library');
});
