#include "clock.h"

#include <linux/time_types.h>

#include "cold.h"
#include "plan_file.h"
#include "syscall.h"

#define NS_PER_S 1000000000LL
#define MONOTONIC 1
#define BOOTTIME 7

int64_t read_clock_ns(int clock) {
  struct __kernel_timespec now;
  long error = call(clock_gettime, clock, &now);
  if (error != 0) give_up("the clock cannot be read: %e", error);
  return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int64_t delta_ns;

int64_t clock_delta_ns(void) { return delta_ns; }

static void shift(struct __kernel_timespec *time, int64_t delta_ns) {
  if (time->tv_nsec < 0 || time->tv_nsec >= NS_PER_S) return; /* the kernel will refuse it, as before */
  int64_t seconds = delta_ns / NS_PER_S, nanoseconds = time->tv_nsec + delta_ns % NS_PER_S;
  if (nanoseconds < 0) seconds--, nanoseconds += NS_PER_S;
  if (nanoseconds >= NS_PER_S) seconds++, nanoseconds -= NS_PER_S;
  /* A deadline near the end of time stays there; one before the boot of this machine has passed. */
  if (__builtin_add_overflow(time->tv_sec, seconds, &seconds)) return;
  time->tv_sec = seconds < 0 ? 0 : seconds;
  time->tv_nsec = seconds < 0 ? 0 : nanoseconds;
}

void shift_times(void) {
  delta_ns = read_clock_ns(MONOTONIC) - plan->monotonic_ns;
  int64_t boottime_delta_ns = read_clock_ns(BOOTTIME) - plan->boottime_ns;
  const struct crac_time *times = plan_records(CRAC_TIMES);
  for (uint32_t i = 0; i < plan_count(CRAC_TIMES); i++)
    shift((struct __kernel_timespec *)times[i].address, times[i].clock == BOOTTIME ? boottime_delta_ns : delta_ns);
  if (plan->nano_offset != 0) *(uint64_t *)plan->nano_offset -= (uint64_t)delta_ns;
}
