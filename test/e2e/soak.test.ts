import { SOAK_OPTIONS, soak } from '../../bench/soak.ts';
import { JDKS } from './support/build-example.ts';
import { unpackExample } from './support/unpacked-example.ts';

test('24 restores, four at a time, with little memory and busy CPUs', async () => {
  await using image = await unpackExample(JDKS[17], SOAK_OPTIONS);
  const measured = await soak(image, { restores: 24, parallel: 4, tell: () => undefined });
  expect(measured.first_answer_ms).toHaveLength(24);
  expect(measured.end_ms).toHaveLength(24);
}, 180_000);
