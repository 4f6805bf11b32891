import type { ReportEvent } from '../../../src/report/event.ts';
import { openBytesReport } from '../../../src/report/report-bytes.ts';

test('a transfer tells no more than once a second, and its end once', async () => {
  const events: ReportEvent[] = [];
  const tell = openBytesReport((event) => events.push(event), 'publish', 'pushed', 'registry.test/app');
  for (let done = 0; done < 5000; done++) tell(done, 5000);
  tell(5000, 5000);
  tell(5000, 5000);
  expect(events).toEqual([
    {
      type: 'stage-progress',
      stage: 'publish',
      text: 'pushed 5.0 kB of 5.0 kB: registry.test/app',
      bytes: { done: 5000, total: 5000 },
    },
  ]);
  await new Promise((resolve) => setTimeout(resolve, 1010));
  tell(100, 5000);
  tell(200, 5000);
  expect(events.map((event) => 'bytes' in event && event.bytes?.done)).toEqual([5000, 100]);
});
