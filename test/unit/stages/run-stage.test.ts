import { CracBuildError } from '../../../src/errors.ts';
import type { ReportEvent } from '../../../src/report/event.ts';
import { runStage } from '../../../src/stages/run-stage.ts';

function open() {
  const events: ReportEvent[] = [];
  const controller = new AbortController();
  return {
    events,
    controller,
    world: { report: (event: ReportEvent) => events.push(event), signal: controller.signal },
  };
}

test('a stage that works is started and finished', async () => {
  const { events, world } = open();
  expect(
    await runStage(
      world,
      'pack',
      async () => 7,
      (value) => `${value} layers`,
    ),
  ).toBe(7);
  expect(events).toMatchObject([
    { type: 'stage-started', stage: 'pack' },
    { type: 'stage-finished', stage: 'pack', summary: '7 layers' },
  ]);
});

test('a stage that fails keeps its error', async () => {
  const { events, world } = open();
  const error = new CracBuildError('STATE_REFUSED', 'no');
  await expect(runStage(world, 'compile', () => Promise.reject(error), String)).rejects.toBe(error);
  expect(events.at(-1)).toMatchObject({ type: 'stage-failed', stage: 'compile', message: 'no' });
});

test('whatever an abort breaks is an interruption', async () => {
  const { world, controller } = open();
  const running = runStage(
    world,
    'launch',
    async () => {
      controller.abort();
      throw new CracBuildError('ENGINE_FAILED', 'socket hang up');
    },
    String,
  );
  await expect(running).rejects.toMatchObject({ code: 'INTERRUPTED', message: 'interrupted during launch' });
});

test('what was made before an abort was seen is handed over, to be disposed of, and no stage begins', async () => {
  const { world, controller } = open();
  const made = async () => {
    controller.abort();
    return 'a container';
  };
  expect(await runStage(world, 'launch', made, String)).toBe('a container');
  let worked = false;
  const work = async () => {
    worked = true;
  };
  await expect(runStage(world, 'verify', work, String)).rejects.toMatchObject({ code: 'INTERRUPTED' });
  expect(worked).toBe(false);
});
