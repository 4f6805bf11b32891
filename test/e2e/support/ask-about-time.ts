// node scripts/run-ts.mjs test/e2e/support/ask-about-time.ts LAYOUT: restores the image and prints, as one JSON object,
// what the app says of its clocks. A program of its own so that it can run in another time namespace.
import { waitUntilAnswered } from './start-image.ts';
import { startInCrun } from './start-in-crun.ts';

const PENDING_LIMIT_MS = 15_000;

const started = await startInCrun(process.argv[2] ?? '', { environment: { CRAC_RESTORE: 'require' } });
try {
  await waitUntilAnswered(() => started.get('/'));
  const time = await started.getJson('/time');
  const slept = await started.getJson('/sleep?ms=400');
  const deadline = performance.now() + PENDING_LIMIT_MS;
  let pending = await started.getJson('/pending');
  while (pending['state'] === 'sleeping' && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    pending = await started.getJson('/pending');
  }
  console.log(JSON.stringify({ time, slept, pending, scheduled: await started.getJson('/scheduled') }));
} finally {
  await started[Symbol.asyncDispose]();
}
