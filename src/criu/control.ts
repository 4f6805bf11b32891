import { z } from 'zod';
import type { Container } from '../engine/engine.ts';
import { CracBuildError } from '../errors.ts';
import type { Run, Touches } from '../restore-plan/touches.ts';
import { jvmStepsOf, type StepName } from '../steps.ts';
import type { CpuidLeaf, ReadyFacts } from './checkpoint.ts';
import { type AppUser, composeLaunch } from './run-criu.ts';

/** native/ctl: how the agent in the JVM is spoken to. */
export const CTL = '/opt/crac/ctl';
const LAST_LINES = 30;
/** Where other lines say what is in the way, and must not scroll away. */
const FEW_LINES = 10;

const address = z.string().regex(/^0x[0-9a-f]+$/);
const addressRange = z.object({ address, sizeBytes: z.number().int().positive() });
const cpuidLeaf = z.object({
  leaf: z.number(),
  subleaf: z.number(),
  registers: z.tuple([z.number(), z.number(), z.number(), z.number()]),
});
const count = z.number().int().nonnegative();
export const classHistogram = z.object({
  instances: count,
  bytes: count,
  top: z.array(z.object({ name: z.string(), instances: count, bytes: count })),
});
const readyFacts = z.object({
  pid: z.number().int().positive(),
  mailbox: z.object({ address, sizeBytes: z.number().int().positive(), nonce: z.string() }),
  nanoOffset: address,
  javaVersion: z.string(),
  gc: z.string(),
  steps: z.array(
    z.object({
      name: z.string(),
      ms: z.number().nonnegative(),
      freedBytes: z.number().int(),
      note: z.string().optional(),
    }),
  ),
  classes: classHistogram.nullable(),
  maxHeapBytes: z.number().nonnegative(),
  heap: addressRange.nullable(),
  jvmMemory: z.object({ codeCache: addressRange.nullable(), metaspace: z.array(addressRange) }),
  cpu: z.object({ jvm: z.array(z.string()).nullable(), libc: z.array(cpuidLeaf).nullable() }),
  resources: z.array(z.object({ fd: z.number().int(), action: z.enum(['close', 'reopen', 'ignore']) })),
});
const refusal = z.object({
  error: z.string(),
  details: z.array(z.string()).default([]),
  policies: z.string().optional(),
});

/** `ctl`'s own words, where it has none of the app's. */
const NOBODY_ANSWERS = /^(?:no JVM with the checkpoint agent answers here|the JVM ended the conversation)/;

/** How a JVM stands to checkpoints: `ctl status`. */
const controlStatus = z.object({
  state: z.enum(['running', 'waiting', 'restored']),
  checkpointing: z.boolean(),
  last: z
    .object({ outcome: z.string(), error: z.string().optional(), details: z.array(z.string()).optional() })
    .nullable(),
});
export type ControlStatus = z.output<typeof controlStatus>;

/** Undefined: no JVM answers, not yet or not any more. */
export async function askStatus(
  container: Container,
  user: AppUser,
  signal: AbortSignal,
  /** Only of this process. Absent: of whichever JVM answers. */
  pid?: number,
): Promise<ControlStatus | undefined> {
  const argv = [CTL, 'status', ...(pid === undefined ? [] : ['--pid', String(pid)])];
  const { exitCode, stdout } = await container.exec(argv, { user: `${user.uid}:${user.gid}`, signal });
  return exitCode === 0 ? controlStatus.safeParse(parseJson(stdout)).data : undefined;
}

export interface AskOptions {
  readonly settleMs: number;
  readonly skip: readonly StepName[];
  readonly join?: boolean;
}

/**
 * Has the app prepare, or, with `join`, waits until it asks for that itself. Resolves when it waits to be dumped;
 * CHECKPOINT_REFUSED with its own words when it does not want to.
 */
export async function askForCheckpoint(
  container: Container,
  user: AppUser,
  { settleMs, skip, join = false }: AskOptions,
  signal: AbortSignal,
): Promise<ReadyFacts> {
  const skipped = jvmStepsOf(skip);
  const argv = [
    ...[CTL, 'checkpoint', '--settle-ms', String(Math.round(settleMs))],
    ...(skipped.length === 0 ? [] : ['--skip', skipped.join(',')]),
    ...(join ? ['--join'] : []),
  ];
  const { exitCode, stdout, stderr } = await container.exec(argv, { user: `${user.uid}:${user.gid}`, signal });
  const answer = parseJson(stdout);
  if (exitCode === 0) {
    const facts = readyFacts.safeParse(answer);
    if (facts.success) return facts.data;
    throw new CracBuildError(
      'CHECKPOINT_REFUSED',
      'the app answered a request for a checkpoint with what is not understood',
      {
        hint: 'The agent in the image and this crac-build must be of one version.',
        details: [stdout.trim(), z.prettifyError(facts.error)],
      },
    );
  }
  const refused = refusal.safeParse(answer);
  if (refused.success && !NOBODY_ANSWERS.test(refused.data.error)) {
    throw new CracBuildError('CHECKPOINT_REFUSED', `the app refused the checkpoint: ${refused.data.error}`, {
      hint: adviseOn(refused.data),
      details: await addLastLines(refused.data.details, container),
    });
  }
  const reason = refused.success ? refused.data.error : `exit code ${exitCode}`;
  throw new CracBuildError('CHECKPOINT_FAILED', `the app could not be asked for a checkpoint: ${reason}`, {
    hint: 'If the app has ended, its last lines are above.',
    details: await addLastLines(refused.success ? [] : `${stdout}\n${stderr}`.trim().split('\n').slice(-10), container),
  });
}

/** What the app has said, told apart from what is said of it. */
export async function addLastLines(details: readonly string[], container: Container): Promise<readonly string[]> {
  const lines = await container.lastLines(details.length === 0 ? LAST_LINES : FEW_LINES).catch(() => []);
  return details.length === 0 || lines.length === 0
    ? [...details, ...lines]
    : [...details, '', 'the last lines of the app:', ...lines];
}

/** The rules stand at the beginning of their lines: they are to be pasted. */
function adviseOn({ details, policies }: z.output<typeof refusal>): string {
  if (policies === undefined) return 'The lines above say what is in the way.';
  const stacks = details.some((line) => line.startsWith('  opened by thread'))
    ? ''
    : '\nTo see who opened them: --java-option=-Djdk.crac.collect-fd-stacktraces=true';
  return `Close them in beforeCheckpoint, or put these lines into a file and name it with --policies (checkpoint.policies).${stacks}\n\n${policies}\n`;
}

/** Tells a prepared app that it was not dumped, so that it goes on. Needs the app's uid and, for /proc/PID/mem, ptrace rights. */
export async function tellNotCheckpointed(container: Container, user: AppUser, mailbox: string): Promise<void> {
  await container.exec(composeLaunch(user, [CTL, 'resume', mailbox]), {
    user: '0:0',
    signal: AbortSignal.timeout(5000),
  });
}

const touches = z.object({
  touched: z.array(z.object({ path: z.string(), runs: z.array(z.tuple([z.number(), z.number()])) })),
  written: z.array(z.tuple([z.number(), z.number()])),
});

/** What the container's first process has touched of its memory. Undefined where the kernel does not tell. */
export async function askTouches(
  container: Container,
  user: string,
  signal: AbortSignal,
): Promise<Touches | undefined> {
  const { exitCode, stdout } = await container.exec([CTL, 'touched'], { user, signal });
  const answer = exitCode === 0 ? touches.safeParse(parseJson(stdout)).data : undefined;
  if (answer === undefined) return undefined;
  const byPath = new Map<string, Run[]>();
  for (const { path, runs } of answer.touched)
    byPath.set(path, [...(byPath.get(path) ?? []), ...runs.map(([offset, length]) => ({ offset, length }))]);
  return { files: byPath, written: answer.written.map(([start, length]) => ({ start, end: start + length })) };
}

/** The lines of `ctl descriptors` on a process that is stopped. */
export async function askDescriptors(
  container: Container,
  user: AppUser,
  pid: number,
  signal: AbortSignal,
): Promise<string> {
  const argv = composeLaunch(user, [CTL, 'descriptors', '--pid', String(pid)]);
  const { exitCode, stdout, stderr } = await container.exec(argv, { user: '0:0', signal });
  if (exitCode === 0) return stdout;
  throw new CracBuildError('CHECKPOINT_FAILED', 'the descriptors of the app could not be read', {
    hint: 'The build container needs CAP_SYS_PTRACE, and a kernel of 5.9 or newer.',
    details: `${stdout}\n${stderr}`.trim().split('\n'),
  });
}

/** What the CPU of the build machine says of itself. */
export async function askCpu(container: Container, user: AppUser, signal: AbortSignal): Promise<readonly CpuidLeaf[]> {
  const { exitCode, stdout, stderr } = await container.exec([CTL, 'cpu'], { user: `${user.uid}:${user.gid}`, signal });
  if (exitCode === 0) return parseCpu(stdout);
  throw new CracBuildError(
    'CHECKPOINT_FAILED',
    `the CPU of the build machine could not be read: exit code ${exitCode}`,
    {
      details: `${stdout}\n${stderr}`.trim().split('\n'),
    },
  );
}

/** The release of the kernel that the container runs on, which may be another machine's. */
export async function askKernel(container: Container, user: AppUser, signal: AbortSignal): Promise<string> {
  const { exitCode, stdout, stderr } = await container.exec([CTL, 'kernel'], {
    user: `${user.uid}:${user.gid}`,
    signal,
  });
  if (exitCode === 0) return stdout.trim();
  throw new CracBuildError('CHECKPOINT_FAILED', `the kernel's release could not be read: exit code ${exitCode}`, {
    details: `${stdout}\n${stderr}`.trim().split('\n'),
  });
}

/** Lines "leaf subleaf eax ebx ecx edx", hexadecimal. */
export function parseCpu(output: string): readonly CpuidLeaf[] {
  return output
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const numbers = line
        .trim()
        .split(/\s+/)
        .map((word) => Number.parseInt(word, 16));
      const [leaf, subleaf, eax, ebx, ecx, edx] = numbers;
      if (
        numbers.length !== 6 ||
        numbers.some(Number.isNaN) ||
        leaf === undefined ||
        subleaf === undefined ||
        eax === undefined ||
        ebx === undefined ||
        ecx === undefined ||
        edx === undefined
      ) {
        throw new CracBuildError('CHECKPOINT_FAILED', `not a line of cpuid: ${line}`);
      }
      return { leaf, subleaf, registers: [eax, ebx, ecx, edx] };
    });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
