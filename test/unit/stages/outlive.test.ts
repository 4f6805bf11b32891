import { setTimeout as sleep } from 'node:timers/promises';
import { outlive } from '../../../src/stages/outlive.ts';

test('ends some time after the other, with its reason, and not by itself', async () => {
  const controller = new AbortController();
  using outliving = outlive(controller.signal, 30);
  await sleep(50);
  expect(outliving.signal.aborted).toBe(false);
  const reason = new Error('interrupted');
  controller.abort(reason);
  expect(outliving.signal.aborted).toBe(false);
  await sleep(60);
  expect(outliving.signal.reason).toBe(reason);
});

test('what has been aborted before gives it its time, too; and nothing is left of it', async () => {
  const outliving = outlive(AbortSignal.abort(), 30);
  expect(outliving.signal.aborted).toBe(false);
  outliving[Symbol.dispose]();
  await sleep(60);
  expect(outliving.signal.aborted).toBe(false);
});
