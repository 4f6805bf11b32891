import type { ExecResult } from '../../../src/engine/engine.ts';
import type { CracBuildError } from '../../../src/errors.ts';
import type { BuildPlan } from '../../../src/plan/build-plan.ts';
import { planBuild } from '../../../src/plan/plan-build.ts';
import { launchApp } from '../../../src/stages/launch.ts';
import { awaitOwnRequest, explainEnd } from '../../../src/stages/own-request.ts';
import { type FakeApp, openFakeEngine } from '../../support/fake-engine.ts';
import { fakeWorld, NO_IMAGE } from '../../support/fake-world.ts';
import { SAMPLE_FACTS } from '../../support/sample-plan.ts';

const planWith = (timeout: number) =>
  planBuild(
    { checkpoint: { trigger: 'app', settle: 7, skip: ['zero-pages', 'free-heap', 'arenas'] }, warmUp: { timeout } },
    SAMPLE_FACTS,
  );
const patient = planWith(30_000);
const impatient = planWith(300);
const RUNNING = { state: 'running', checkpointing: false, last: null };
const WAITING = { state: 'waiting', checkpointing: true, last: null };
const READY = {
  pid: 1,
  mailbox: { address: '0x7f00', sizeBytes: 4096, nonce: '0x1' },
  ...{ nanoOffset: '0x10', javaVersion: '17.0.1', gc: 'Serial', steps: [] },
  ...{ classes: null, maxHeapBytes: 4096, heap: null, jvmMemory: { codeCache: null, metaspace: [] } },
  ...{ cpu: { jvm: null, libc: null }, resources: [] },
};
const says = (json: object, exitCode = 0): ExecResult => ({ exitCode, stdout: JSON.stringify(json), stderr: '' });
const nobody = says({ error: 'no JVM with the checkpoint agent answers here', details: [] }, 1);
/** `ctl checkpoint --join` of an app that does not ask. */
const forever = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

async function waitFor(app: FakeApp, { plan = patient, signal }: { plan?: BuildPlan; signal?: AbortSignal } = {}) {
  const world = fakeWorld(openFakeEngine({ lines: ['reading the model'], ...app }), signal);
  await using running = await launchApp(plan, NO_IMAGE, world);
  return await explainEnd(running.container, awaitOwnRequest(plan, running.container, world));
}

const failureOf = async (app: FakeApp, plan = patient): Promise<CracBuildError> =>
  await waitFor(app, { plan }).then(
    () => Promise.reject(new Error('it worked')),
    (error) => error,
  );

test('joins the app once its JVM answers', async () => {
  const heard: string[] = [];
  const ctl = (words: readonly string[]) => {
    heard.push(words.join(' '));
    if (heard.length < 3) return nobody;
    return words[0] === 'status' ? says(RUNNING) : says(READY);
  };
  expect(await waitFor({ ctl })).toMatchObject({ pid: 1, nanoOffset: '0x10' });
  expect(heard).toEqual(['status', 'status', 'status', 'checkpoint --settle-ms 7 --skip arenas,free-heap --join']);
});

test.each([
  ['waits already', null],
  ['was refused and asks again', { outcome: 'not taken', error: 'what it had open' }],
])('an app that %s is joined, too', async (_, last) => {
  const ctl = ([word]: readonly string[]) => (word === 'status' ? says({ ...WAITING, last }) : says(READY));
  expect(await waitFor({ ctl })).toMatchObject({ pid: 1, nanoOffset: '0x10' });
});

test('an app that does not ask in time is told, with its last lines', async () => {
  const ctl = ([word]: readonly string[], signal: AbortSignal) => (word === 'status' ? says(RUNNING) : forever(signal));
  expect(await failureOf({ ctl }, impatient)).toMatchObject({
    code: 'WARM_UP_FAILED',
    message: 'the app did not ask for its checkpoint within 300 ms',
    hint: expect.stringContaining('Core.checkpointRestore()'),
    details: ['reading the model'],
  });
});

test('one that asked and was not prepared in time is told apart', async () => {
  let asked = false;
  const ctl = ([word]: readonly string[], signal: AbortSignal) => {
    if (word === 'status') return says(asked ? WAITING : RUNNING);
    asked = true;
    return forever(signal);
  };
  expect(await failureOf({ ctl }, impatient)).toMatchObject({
    code: 'WARM_UP_FAILED',
    message: 'the app asked for its checkpoint, but was not prepared for it within 300 ms',
    hint: expect.stringContaining('beforeCheckpoint'),
  });
});

test('a JVM that never answers is told as one that does not ask', async () => {
  expect(await failureOf({ ctl: () => nobody }, impatient)).toMatchObject({ code: 'WARM_UP_FAILED' });
});

test.each([
  ['before its JVM answers', () => nobody],
  ['while it is waited for', endsDuringJoin],
])('an app that ends %s is told with its code', async (_, ctl) => {
  expect(await failureOf({ ctl, exits: { code: 3, afterMs: 50 } })).toMatchObject({
    code: 'APP_EXITED',
    message: 'the app exited with code 3 before its checkpoint, for which it was to ask by itself',
    details: ['reading the model'],
  });
});

async function endsDuringJoin([word]: readonly string[]): Promise<ExecResult> {
  if (word === 'status') return says(RUNNING);
  await new Promise((resolve) => setTimeout(resolve, 40));
  return says({ error: 'the JVM ended the conversation without an answer', details: [] }, 1);
}

test('a refusal in the words of the app says more than its end', async () => {
  const ctl = ([word]: readonly string[]) =>
    word === 'status' ? says(RUNNING) : says({ error: 'the app refused the checkpoint', details: ['no'] }, 1);
  expect(await failureOf({ ctl, exits: { code: 1, afterMs: 0 } })).toMatchObject({
    code: 'CHECKPOINT_REFUSED',
    details: ['no', '', 'the last lines of the app:', 'reading the model'],
  });
});

test('one that asked before the build came, and was refused, is told with the reason', async () => {
  const last = { outcome: 'not taken', error: 'what it has open cannot be taken along', details: ['/a.log: …'] };
  expect(await failureOf({ ctl: () => says({ ...RUNNING, last }) })).toMatchObject({
    code: 'CHECKPOINT_REFUSED',
    message: 'the app asked for a checkpoint and got none: what it has open cannot be taken along',
    details: ['/a.log: …', '', 'the last lines of the app:', 'reading the model'],
  });
});

test('an abort is no time limit', async () => {
  const controller = new AbortController();
  const ctl = ([word]: readonly string[], signal: AbortSignal) => (word === 'status' ? says(RUNNING) : forever(signal));
  setTimeout(() => controller.abort(), 50);
  await expect(waitFor({ ctl }, { signal: controller.signal })).rejects.toThrow(/abort/);
});
