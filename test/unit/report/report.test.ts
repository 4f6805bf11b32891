import { PassThrough } from 'node:stream';
import { CracBuildError } from '../../../src/errors.ts';
import type { ReportEvent } from '../../../src/report/event.ts';
import { openJsonRenderer } from '../../../src/report/json-renderer.ts';
import { openPlainRenderer } from '../../../src/report/plain-renderer.ts';
import { errorToJson, exitCodeOf, renderError } from '../../../src/report/render-error.ts';
import { openTerminalRenderer } from '../../../src/report/terminal-renderer.ts';
import { expectGolden } from '../../support/golden.ts';

const EVENTS: readonly ReportEvent[] = [
  { type: 'stage-started', stage: 'plan', atMs: 1 },
  { type: 'stage-finished', stage: 'plan', durationMs: 12, summary: 'crun 1.8, CRIU 4.2.1' },
  { type: 'stage-started', stage: 'launch', atMs: 13 },
  { type: 'stage-progress', stage: 'launch', text: 'waiting for GET :8080/' },
  { type: 'stage-progress', stage: 'launch', text: 'pushed 1 B of 2 B: registry.test/x', bytes: { done: 1, total: 2 } },
  { type: 'warning', message: 'verify is off', hint: 'Leave out --no-verify.' },
  { type: 'stage-failed', stage: 'launch', durationMs: 1234, message: 'the app exited' },
];

test('plain lines', async () => {
  let text = '';
  const renderer = openPlainRenderer((more) => {
    text += more;
  });
  EVENTS.forEach(renderer.report);
  await renderer.finish();
  expectGolden('report-plain.txt', text);
});

test('JSON lines', () => {
  let text = '';
  const renderer = openJsonRenderer((more) => {
    text += more;
  });
  EVENTS.forEach(renderer.report);
  expect(
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual(EVENTS);
});

/** A terminal of 100 columns; its text without control sequences. */
function openTerminal() {
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 100, rows: 40 });
  const chunks: string[] = [];
  stream.on('data', (chunk) => chunks.push(String(chunk)));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is taken away
  const text = () => chunks.join('').replaceAll(/\u001b\[[0-9;?]*[A-Za-z]/g, '');
  return { stream: stream as unknown as NodeJS.WriteStream, text };
}

test('a terminal sees what is done, how long it took, and what failed', async () => {
  const { stream, text } = openTerminal();
  const renderer = openTerminalRenderer(stream);
  for (const event of EVENTS) {
    renderer.report(event);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await renderer.finish();
  expect(text()).toContain('plan: crun 1.8, CRIU 4.2.1 (12.0 ms)');
  expect(text()).toContain('launch');
  expect(text()).toContain('warning: verify is off\nhint: Leave out --no-verify.');
});

test('a terminal renderer can be finished before anything happened', async () => {
  const renderer = openTerminalRenderer(openTerminal().stream);
  await renderer.finish();
});

test('errors: expected ones, full disks and bugs', () => {
  const bug = new TypeError('x is undefined');
  bug.stack = 'TypeError: x is undefined\n    at f (file.ts:1:1)';
  const errors = [
    new CracBuildError('APP_EXITED', 'the app exited with code 1', {
      hint: 'Look above.',
      details: ['line 1', 'line 2'],
    }),
    new CracBuildError('USAGE', 'unknown option --x'),
    Object.assign(new Error('write'), { code: 'ENOSPC', path: '/tmp/x' }),
    bug,
    'a string',
  ];
  expectGolden(
    'errors.txt',
    errors
      .map((error) => `── exit ${exitCodeOf(error)}\n${renderError(error)}${JSON.stringify(errorToJson(error))}\n`)
      .join('\n'),
  );
});
