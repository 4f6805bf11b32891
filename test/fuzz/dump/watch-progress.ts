/** Ends the process when it stands still: a thread of its own looks, since the fuzzer's cannot while it loops. */
import { Worker } from 'node:worker_threads';

const LIMIT_MS = 15_000;

/** `dir`: where the case lies, for whoever looks after it. */
export function watchProgress(dir: string): { readonly step: () => void; readonly stop: () => void } {
  const steps = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(
    `const { workerData: { steps, dir, limitMs } } = require('node:worker_threads');
     for (let before = -1; ; ) {
       before = Atomics.load(steps, 0);
       if (Atomics.wait(steps, 0, before, limitMs) === 'timed-out' && Atomics.load(steps, 0) === before) {
         require('node:fs').writeSync(1, 'no end within ' + limitMs + ' ms: ' + dir + '\\n');
         process.kill(process.pid, 'SIGKILL');
       }
     }`,
    { eval: true, workerData: { steps, dir, limitMs: LIMIT_MS } },
  );
  worker.unref();
  return {
    step: () => {
      Atomics.add(steps, 0, 1);
      Atomics.notify(steps, 0);
    },
    stop: () => void worker.terminate(),
  };
}
