import type { ThreadFact } from '../criu/descriptor-facts.ts';
import type { Dump, DumpedThread } from '../criu/read-dump.ts';
import type { Areas } from './areas.ts';
import type { Blob } from './blob.ts';
import { PAGE_BYTES, type PlanRecord } from './format.ts';
import type { Refuse } from './refusals.ts';
import { addSigframe, hasKeys, isInSystemCall } from './sigframe.ts';
import { findUnknownClock } from './times.ts';
import { COMPONENT, type XsaveLayout } from './xsave.ts';

const SCRATCH_BYTES = 4096;
/** Control-flow enforcement, of which the kernel itself keeps the state. */
const CET_COMPONENTS = [11, 12];
const KNOWN_COMPONENTS = [...Object.values(COMPONENT), ...CET_COMPONENTS].reduce(
  (bits, n) => bits | (1n << BigInt(n)),
  0n,
);
const NAME_BYTES = 15;
/** CRAC_THREAD_HELD in native/restore/plan.h. */
export const THREAD_HELD = 1;
const SYS_FUTEX = 202n;
/** FUTEX_LOCK_PI, FUTEX_UNLOCK_PI, FUTEX_TRYLOCK_PI, FUTEX_WAIT_REQUEUE_PI, FUTEX_CMP_REQUEUE_PI, FUTEX_LOCK_PI2. */
const PI_OPERATIONS: readonly bigint[] = [6n, 7n, 8n, 11n, 12n, 13n];
const FUTEX_COMMAND_MASK = 0x7fn;

/** Facts that refuse, as reason and remedy. */
const APART: Readonly<Record<ThreadFact, readonly [string, string]>> = {
  descriptors: ['it has descriptors of its own', 'Do not call unshare in a thread before the checkpoint'],
  folder: ['it has a current folder of its own', 'Do not call unshare in a thread before the checkpoint'],
  processors: [
    'it was bound to processors',
    'Start the app without taskset, and do not bind threads before the checkpoint',
  ],
};

export function planThreads(
  dump: Dump,
  areas: Areas,
  layout: XsaveLayout,
  blob: Blob,
  mailbox: number,
  refuse: Refuse,
): PlanRecord<'thread'>[] {
  for (const thread of dump.threads) {
    refuseThreadState(thread, areas, refuse);
    for (const fact of dump.descriptorFacts.threads.get(thread.tid) ?? [])
      refuse(`thread ${thread.tid} (${nameOf(thread.core)})`, ...APART[fact]);
  }
  return dump.threads.flatMap(({ tid, core }) => {
    const state = core.threadCore;
    if (registersOf(core) === undefined) return [];
    return {
      clear_tid: core.thread?.clearTid ?? 0,
      tls: core.thread?.registers?.fsBase ?? 0n,
      robust_list: state?.robustList ?? 0,
      robust_list_size: state?.robustListSize ?? 0,
      rseq: state?.rseq?.address ?? 0,
      rseq_size: state?.rseq?.size ?? 0,
      rseq_signature: state?.rseq?.signature ?? 0,
      frame: addSigframe(core, layout, blob),
      scratch: blob.add(Buffer.alloc(SCRATCH_BYTES), 64) + SCRATCH_BYTES,
      old_tid: tid,
      flags: isHeldBack(core, mailbox) ? THREAD_HELD : 0,
      name: Buffer.from(nameOf(core)).subarray(0, NAME_BYTES),
    };
  });
}

/** The JVM's own threads, which the runtime needs while it takes over what is new; names are cut off after 15 characters. */
const OWN_THREADS =
  /^(VM |GC |G1 |Par|Shenandoah|Concurrent Mark|C[12] Compiler|Reference Handl|Finalizer|Signal Dispatch|Service Thread|Monitor Deflati|Notification Th|Common-Cleaner|Attach Listener|Sweeper|crac)/;

/**
 * Held back until the runtime has given the process its new environment, properties and random numbers, so that no request
 * is answered with the old ones: threads of the app that wait in the kernel. One that runs code must go on: the JVM could
 * not stop it for a collection.
 */
function isHeldBack(core: DumpedThread['core'], mailbox: number): boolean {
  const registers = core.thread?.registers;
  if (mailbox === 0 || registers === undefined || !isInSystemCall(registers)) return false;
  const waitsForRestore = registers.di >= BigInt(mailbox) && registers.di < BigInt(mailbox + PAGE_BYTES);
  return !waitsForRestore && !OWN_THREADS.test(nameOf(core));
}

export function nameOf(core: DumpedThread['core']): string {
  return core.threadCore?.name || core.task?.name || '';
}

/** Undefined when it does not run 64-bit x86 code. */
function registersOf({ machine, thread }: DumpedThread['core']) {
  const { registers, fp } = thread ?? {};
  if (machine !== 1 || registers === undefined || fp === undefined || registers.mode > 1) return undefined;
  return { registers, fp };
}

function refuseThreadState({ tid, core }: DumpedThread, areas: Areas, refuse: Refuse): void {
  const object = `thread ${tid} (${nameOf(core)})`;
  const state = core.threadCore;
  const running = registersOf(core);
  if (running === undefined) {
    refuse(object, 'it does not run 64-bit x86 code', 'Build and run the app on x86-64');
    return;
  }
  const { registers, fp } = running;
  if ((state?.pendingSignals?.signals.length ?? 0) > 0)
    refuse(object, 'a signal is pending', 'Take the checkpoint again; do not send the app signals during the build');
  if ((state?.schedPolicy ?? 0) !== 0 || (state?.nice ?? 0) !== 0)
    refuse(object, 'its scheduling was changed', 'Start the app without nice, chrt or -XX:ThreadPriorityPolicy=1');
  if ((state?.seccompMode ?? core.task?.oldSeccompMode ?? 0) !== 0)
    refuse(object, 'it has a seccomp filter', 'Build without a seccomp profile, or without the filter of the app');
  if ((state?.deathSignal ?? 0) !== 0)
    refuse(object, 'it has a parent-death signal', 'Do not set PR_SET_PDEATHSIG in the app');
  if ((state?.rseq?.criticalSection ?? 0n) !== 0n)
    refuse(object, 'it is inside a restartable sequence', 'Take the checkpoint again');
  if (registers.gsBase !== 0n) refuse(object, 'it uses the GS base', 'Do not load libraries that set the GS base');
  const { xsave } = fp;
  if (xsave !== undefined && hasKeys(xsave))
    refuse(object, 'it uses memory protection keys', 'Do not load libraries that call pkey_alloc');
  const unknown = (xsave?.xstateBv ?? 0n) & ~KNOWN_COMPONENTS;
  if (unknown !== 0n)
    refuse(
      object,
      `it uses registers that are not known (XSAVE 0x${unknown.toString(16)})`,
      'Switch AMX off in the app',
    );
  const cet = xsave?.cet;
  if (cet !== undefined && cet.ssp !== 0n)
    refuse(object, 'it has a shadow stack', 'Start the app with GLIBC_TUNABLES=glibc.cpu.x86_shstk=off');
  if (
    isInSystemCall(registers) &&
    registers.origAx === SYS_FUTEX &&
    PI_OPERATIONS.includes(registers.si & FUTEX_COMMAND_MASK)
  )
    refuse(object, 'it waits for a priority-inheritance lock', 'Use ordinary locks');
  const clock = findUnknownClock(registers);
  if (clock !== undefined)
    refuse(
      object,
      `it sleeps until a time of a clock that will begin anew (clock ${clock})`,
      'Take the checkpoint again',
    );
  const { vdso } = areas;
  if (registers.ip >= BigInt(vdso.start) && registers.ip < BigInt(vdso.start + vdso.size))
    refuse(object, "it was reading the clock in the kernel's vdso", 'Take the checkpoint again');
}
