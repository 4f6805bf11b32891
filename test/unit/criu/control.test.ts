import { askForCheckpoint } from '../../../src/criu/control.ts';
import type { Container } from '../../../src/engine/engine.ts';
import { type CracBuildError, isCracBuildError } from '../../../src/errors.ts';
import { renderError } from '../../../src/report/render-error.ts';

const READY = {
  pid: 1,
  mailbox: { address: '0x7f00', sizeBytes: 4096, nonce: '0x1' },
  nanoOffset: '0x10',
  javaVersion: '17.0.1',
  gc: 'Serial',
  steps: [{ name: 'collect', ms: 3.1, freedBytes: -5, note: 'a reason' }],
  classes: { instances: 2, bytes: 48, top: [{ name: 'int[]', instances: 2, bytes: 48 }] },
  maxHeapBytes: 4096,
  heap: { address: '0x70000000', sizeBytes: 4096 },
  jvmMemory: { codeCache: null, metaspace: [{ address: '0x7f000000', sizeBytes: 4194304 }] },
  cpu: { jvm: ['SSE2', 'AVX'], libc: [{ leaf: 1, subleaf: 0, registers: [0, 0, 1, 2] }] },
  resources: [{ fd: 7, action: 'close' }],
};

/** More than is ever shown. */
const APP = Array.from({ length: 50 }, (_, i) => `line ${i} of the app`);

/** `ctl checkpoint` answers this. */
async function ask(exitCode: number, answer: object) {
  const container: Pick<Container, 'exec' | 'lastLines'> = {
    exec: async () => ({ exitCode, stdout: `${JSON.stringify(answer)}\n`, stderr: '' }),
    lastLines: async (count) => APP.slice(-count),
  };
  const { signal } = new AbortController();
  return await askForCheckpoint(container as Container, { uid: 1, gid: 1 }, { settleMs: 0, skip: [] }, signal);
}

async function refusalOf(answer: object): Promise<CracBuildError> {
  const error = await ask(1, answer).catch((caught: unknown) => caught);
  if (!isCracBuildError(error, 'CHECKPOINT_REFUSED')) throw error;
  return error;
}

test('ready: with what was decided of open resources, and how far the heap may grow', async () => {
  expect(await ask(0, READY)).toEqual(READY);
});

test('an agent that has not looked at what is open is of another version', async () => {
  const { resources: _, ...older } = READY;
  await expect(ask(0, older)).rejects.toMatchObject({ code: 'CHECKPOINT_REFUSED', hint: /one version/ });
});

test('refused: rules stand at the beginning of their lines, to be pasted', async () => {
  const policies = 'type: file\npath: /a.log\naction: reopen\n---\ntype: pipe\naction: close';
  const details = ['/a.log (descriptor 5): it is open for writing'];
  const error = await refusalOf({ error: 'what it has open cannot be taken along', details, policies });
  expect(error.details).toEqual([...details, '', 'the last lines of the app:', ...APP.slice(-10)]);
  const text = renderError(error);
  expect(text).toMatch(
    /^error: the app refused the checkpoint: what it has open cannot be taken along\n {2}\| \/a.log/,
  );
  expect(text).toContain(`-Djdk.crac.collect-fd-stacktraces=true\n\n${policies}\n`);
  const known = await refusalOf({ error: 'x', details: [...details, '  opened by thread "main"'], policies });
  expect(known.hint).not.toContain('collect-fd-stacktraces');
});

test('refused for other reasons: no rule is offered', async () => {
  const { hint } = await refusalOf({ error: 'the app refused the checkpoint', details: ['java.io.IOException: no'] });
  expect(hint).not.toMatch(/policies/);
});

test('an app that ends meanwhile has refused nothing', async () => {
  const error = 'the JVM ended the conversation without an answer';
  await expect(ask(1, { error, details: [] })).rejects.toMatchObject({
    code: 'CHECKPOINT_FAILED',
    message: `the app could not be asked for a checkpoint: ${error}`,
    details: APP.slice(-30),
  });
});
