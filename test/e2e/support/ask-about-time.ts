// node scripts/run-ts.mjs test/e2e/support/ask-about-time.ts LAYOUT KIND...: restores the image and prints, as one JSON object,
// what the app says of its clocks. A program of its own so that it can run in another time namespace.
import { waitUntilAnswered } from './start-image.ts';
import { startInCrun } from './start-in-crun.ts';

const PENDING_LIMIT_MS = 15_000;

const [layout = '', ...kinds] = process.argv.slice(2);
const started = await startInCrun(layout, { environment: { CRAC_RESTORE: 'require' } });
const askAll = async () =>
  Object.fromEntries(
    await Promise.all(kinds.map(async (kind) => [kind, await started.getJson(`/pending?in=${kind}`)] as const)),
  );
try {
  await waitUntilAnswered(() => started.get('/'));
  const atFirst = await askAll();
  const time = await started.getJson('/time');
  const slept = await started.getJson('/sleep?ms=400');
  const deadline = performance.now() + PENDING_LIMIT_MS;
  let pending = atFirst;
  while (Object.values(pending).some(({ state }) => state === 'sleeping') && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    pending = await askAll();
  }
  const scheduled = await started.getJson('/scheduled');
  console.log(JSON.stringify({ time, slept, atFirst, pending, scheduled }));
} finally {
  await started[Symbol.asyncDispose]();
}
