/*
 * what the new container decides and not the old: oom_score_adj, CPU affinity, timer slack
 * restored: map
 */
#include <sched.h>
#include <sys/prctl.h>

#include "state.h"

int main(void) {
  cpu_set_t one, all;
  CPU_ZERO(&one);
  CPU_SET(0, &one);
  need(sched_getaffinity(0, sizeof all, &all) == 0 && sched_setaffinity(0, sizeof one, &one) == 0);
  need(prctl(PR_SET_TIMERSLACK, 1234567) == 0);
  int fd = open("/proc/self/oom_score_adj", O_WRONLY);
  need(fd >= 0 && write(fd, "321", 3) == 3 && close(fd) == 0);
  await_restore();
  check(read_number("/proc/self/oom_score_adj", "", 10) != 321);
  check(prctl(PR_GET_TIMERSLACK) != 1234567);
  check(sched_getaffinity(0, sizeof one, &one) == 0 && CPU_EQUAL(&one, &all));
}
