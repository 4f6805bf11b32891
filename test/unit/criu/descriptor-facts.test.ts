import { parseDescriptorFacts } from '../../../src/criu/descriptor-facts.ts';

test('facts by descriptor and thread', () => {
  const text =
    'option 7 6 9 05000000\noption 7 6 13 72656e6f\nmember 8 239.1.2.3\nmember 8 ff05::1\nsemaphore 4\nthread 9 folder\nthread 9 processors\n';
  expect(parseDescriptorFacts(text)).toEqual({
    options: new Map([
      [
        7,
        [
          { level: 6, name: 9, value: Buffer.from([5, 0, 0, 0]) },
          { level: 6, name: 13, value: Buffer.from('reno') },
        ],
      ],
    ]),
    groups: new Map([[8, ['239.1.2.3', 'ff05::1']]]),
    semaphores: new Set([4]),
    threads: new Map([[9, ['folder', 'processors']]]),
  });
});

test.each([
  'option 7 6 9',
  'option 7 6 9 0',
  `option 7 6 9 ${'00'.repeat(17)}`,
  'member x 239.1.2.3',
  'pipe 3',
  'thread 3 name',
])('what is not understood is an error: %s', (line) => {
  expect(() => parseDescriptorFacts(line)).toThrow(expect.objectContaining({ code: 'CHECKPOINT_FAILED' }));
});
