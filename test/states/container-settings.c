/*
 * what the new container decides and not the old: oom_score_adj, timer slack
 * restored: map
 */
#include <sys/prctl.h>

#include "state.h"

int main(void) {
  need(prctl(PR_SET_TIMERSLACK, 1234567) == 0);
  int fd = open("/proc/self/oom_score_adj", O_WRONLY);
  need(fd >= 0 && write(fd, "321", 3) == 3 && close(fd) == 0);
  await_restore();
  check(read_number("/proc/self/oom_score_adj", "", 10) != 321);
  check(prctl(PR_GET_TIMERSLACK) != 1234567);
}
