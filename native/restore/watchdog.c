/*
 * A thread beside the one that restores. Not a timer's signal: that does not end a wait for a disk or a FUSE server, which
 * only a deadly signal does, such as execve and exit_group send to a process's other threads. It shares memory and signal
 * handlers with the restoring thread but neither descriptors nor folder nor umask, so it has them as the container gave them.
 */
#include "watchdog.h"

#include <linux/sched.h>
#include <linux/time_types.h>

#include "clock.h"
#include "cold.h"
#include "launch.h"
#include "phases.h"
#include "syscall.h"
#include "threads.h"
#include "way_out.h"

#define MONOTONIC 1
#define NS_PER_MS 1000000LL

static char stack[32768] __attribute__((aligned(64)));
static struct __kernel_timespec deadline;

static void watch(void *unused) {
  (void)unused;
  if (take_way_out(&deadline))
    give_up_from_outside("not restored within %u.%u s (CRAC_RESTORE_TIMEOUT): stuck in %s", launch.timeout_ms / 1000,
                         launch.timeout_ms % 1000 / 100, current_phase());
  for (;;) call(exit, 0);
}

/* Where no thread can be made, the process's own will not be made either: that is told where they are. */
void start_watchdog(void) {
  if (launch.timeout_ms == 0) return;
  int64_t end_ns = read_clock_ns(MONOTONIC) + (int64_t)launch.timeout_ms * NS_PER_MS;
  deadline.tv_sec = end_ns / (1000 * NS_PER_MS);
  deadline.tv_nsec = end_ns % (1000 * NS_PER_MS);
  start_thread(CLONE_VM | CLONE_SIGHAND | CLONE_THREAD, (uint64_t)stack + sizeof stack, 0, 0, watch, NULL);
}
