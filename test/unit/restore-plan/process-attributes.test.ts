import { rmSync } from 'node:fs';
import { readHeader } from './plan-reader.ts';
import { compileSample, makeSample, type Sample } from './sample-dump.ts';

let sample: Sample;
beforeEach(() => {
  sample = makeSample();
});
afterEach(() => rmSync(sample.dir, { recursive: true, force: true }));

const flagsOf = async () => readHeader((await compileSample(sample)).plan)['flags'];

test('nothing is set for a process that has set nothing', async () => {
  expect(await flagsOf()).toBe(0);
  Object.assign(sample.mm, { 15: 1, 17: 0 });
  expect(await flagsOf()).toBe(0);
});

test.each<[string, (sample: Sample) => void, number]>([
  ['not dumpable', (s) => Object.assign(s.mm, { 15: 0 }), 1],
  ['dumpable for root alone, which only the kernel can set', (s) => Object.assign(s.mm, { 15: 2 }), 1],
  ['a reaper of orphans', (s) => Object.assign(s.task, { 18: 1 }), 2],
  ['without huge pages', (s) => Object.assign(s.mm, { 17: 1 }), 4],
  ['without new privileges', (s) => Object.assign(s.thread, { 10: { 1: 0, 18: 1 } }), 8],
  ['registered for barriers', (s) => Object.assign(s.task, { 22: 0x54 }), 0x540000],
])('%s', async (_, change, flags) => {
  change(sample);
  expect(await flagsOf()).toBe(flags);
});
