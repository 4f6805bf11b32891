/*
 * clocks read in the kernel's vdso, through pointers taken before
 * restored: map
 * clock: ahead, behind
 */
#include <sys/time.h>

#include "state.h"

int main(void) {
  int (*volatile get_time)(clockid_t, struct timespec *) = clock_gettime;
  int (*volatile get_time_of_day)(struct timeval *, void *) = (void *)gettimeofday;
  int64_t real = now_ns(CLOCK_REALTIME);
  await_restore();
  check(now_ns(CLOCK_REALTIME) > real);
  struct timespec by_vdso, by_kernel;
  struct timeval of_day;
  for (int round = 0; round < 1000; round++) {
    check(get_time(CLOCK_MONOTONIC, &by_vdso) == 0 && syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &by_kernel) == 0);
    int64_t behind = (by_kernel.tv_sec - by_vdso.tv_sec) * 1000000000ll + by_kernel.tv_nsec - by_vdso.tv_nsec;
    check(behind >= 0);
  }
  check(get_time_of_day(&of_day, NULL) == 0 && time(NULL) >= of_day.tv_sec);
}
