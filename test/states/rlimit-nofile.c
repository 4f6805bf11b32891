/*
 * the soft limit on the number of descriptors; the hard one is the container's
 * restored: map
 */
#include <sys/resource.h>

#include "state.h"

int main(void) {
  struct rlimit limit;
  need(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  limit.rlim_cur = 345;
  need(setrlimit(RLIMIT_NOFILE, &limit) == 0);
  await_restore();
  check(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  check_equal(limit.rlim_cur, 345);
  check(limit.rlim_max > 345);
}
