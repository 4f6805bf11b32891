#include "threads.h"

#include <linux/errno.h>
#include <linux/futex.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/time_types.h>

#include "cold.h"
#include "plan_file.h"
#include "syscall.h"

#define THREAD_FLAGS                                                                                          \
  (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS |          \
   CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)
_Static_assert(THREAD_FLAGS == 0x3d0f00, "what glibc's pthread_create passes");

#define GATE_LOOK_MS 100
#define RSEQ_REGISTRATION_FAILED ((uint32_t)-2)

/* Futex words: 1 when all threads exist, and when the runtime has told the process what is new. */
static uint32_t gate, gate_of_held;

static struct crac_thread *threads(void) { return plan_records(CRAC_THREADS); }

/* The runtime may never open it: then the app's threads go on all the same. */
static void wait_for_runtime(void) {
  struct __kernel_timespec limit = {0, CRAC_HOLD_MS * 1000000L};
  long woken = 0;
  while (__atomic_load_n(&gate_of_held, __ATOMIC_ACQUIRE) == 0 && (woken == 0 || woken == -EINTR))
    woken = call(futex, &gate_of_held, FUTEX_WAIT_PRIVATE, 0, &limit);
}

uint32_t *held_gate(void) { return &gate_of_held; }

static long set_robust_list(const struct crac_thread *thread) {
  return thread->robust_list == 0 ? 0 : call(set_robust_list, thread->robust_list, thread->robust_list_size);
}

static void set_name_and_rseq(const struct crac_thread *thread) {
  call(prctl, PR_SET_NAME, thread->name);
  if (thread->rseq == 0) return;
  if (call(rseq, thread->rseq, thread->rseq_size, 0, thread->rseq_signature) != 0)
    ((volatile uint32_t *)thread->rseq)[1] = RSEQ_REGISTRATION_FAILED; /* cpu_id: glibc then asks the kernel */
}

/* The wait has a limit so that even a wake that fails does no harm. */
void wait_for_release(void) {
  struct __kernel_timespec limit = {0, GATE_LOOK_MS * 1000000L};
  while (__atomic_load_n(&gate, __ATOMIC_ACQUIRE) == 0) call(futex, &gate, FUTEX_WAIT_PRIVATE, 0, &limit);
}

/* Nothing here can stop the restore any more. */
static void resume_thread(void *argument) {
  const struct crac_thread *thread = argument;
  set_robust_list(thread);
  set_name_and_rseq(thread);
  wait_for_release();
  if (plan->mailbox != 0 && thread->flags & CRAC_THREAD_HELD) wait_for_runtime();
  return_to_frame(thread->frame);
}

static void write_new_ids(void) {
  const struct crac_tidfix *fixes = plan_records(CRAC_TIDFIX);
  for (uint32_t i = 0; i < plan_count(CRAC_TIDFIX); i++)
    *(uint32_t *)fixes[i].address = threads()[fixes[i].thread].old_tid | fixes[i].bits;
}

long start_thread(uint64_t flags, uint64_t stack, uint64_t tid, uint64_t tls, void (*run)(void *argument), void *argument) {
  long fault = next_fault(__NR_clone);
  return fault != 0 ? fault : clone_thread(flags, stack, tid, tid, tls, run, argument);
}

void make_threads(void) {
  struct crac_thread *first = threads();
  uint32_t count = plan_count(CRAC_THREADS);
  if (count == 0) give_up("plan.bin has no thread");
  long tid = call(set_tid_address, first->clear_tid);
  if (is_error(tid)) give_up("the first thread cannot be told its id: %e", tid);
  first->old_tid = (uint32_t)tid;
  if (first->clear_tid != 0) *(uint32_t *)first->clear_tid = first->old_tid;
  long error = set_thread_pointer(first->tls);
  if (error != 0) give_up("the first thread cannot be given its own memory: %e", error);
  for (uint32_t i = 1; i < count; i++) {
    struct crac_thread *next = &first[i];
    tid = start_thread(THREAD_FLAGS, next->scratch, next->clear_tid, next->tls, resume_thread, next);
    if (tid == -EAGAIN)
      give_up("thread %u of %u cannot be made: the limit of processes is reached (--pids-limit, ulimit -u)", (uint64_t)i + 1, (uint64_t)count);
    if (is_error(tid)) give_up("thread %u of %u cannot be made: %e", (uint64_t)i + 1, (uint64_t)count, tid);
    if (next->clear_tid != 0 && *(volatile uint32_t *)next->clear_tid != (uint32_t)tid) /* the kernel does not tell */
      give_up("thread %u of %u cannot be told its id", (uint64_t)i + 1, (uint64_t)count);
    next->old_tid = (uint32_t)tid; /* the plan is our own copy: from here on it is the new one */
  }
  write_new_ids();
  error = set_robust_list(first); /* what the kernel grants this thread it grants the others */
  if (error != 0) give_up("locks cannot be made robust: %e", error);
  set_name_and_rseq(first);
}

/*
 * Nobody waits until each thread has reached the gate: what a late one still does to itself is done before it goes on,
 * and its signals are blocked until then.
 */
_Noreturn void release_threads(void) {
  __atomic_store_n(&gate, 1, __ATOMIC_RELEASE);
  call(futex, &gate, FUTEX_WAKE_PRIVATE, 0x7fffffff);
  return_to_frame(threads()->frame);
}
