/*
 * other limits are those of the new container, not of the one it was built in
 * restored: map
 */
#include <sys/resource.h>

#include "state.h"

static const int limits[] = {RLIMIT_CORE, RLIMIT_STACK, RLIMIT_FSIZE, RLIMIT_NPROC, RLIMIT_MEMLOCK};

int main(void) {
  for (unsigned i = 0; i < sizeof limits / sizeof *limits; i++) {
    struct rlimit limit;
    need(getrlimit(limits[i], &limit) == 0);
    limit.rlim_cur = limit.rlim_cur > 3 << 20 ? 3 << 20 : limit.rlim_cur;
    limit.rlim_max = limit.rlim_max > 4 << 20 ? 4 << 20 : limit.rlim_max;
    need(setrlimit(limits[i], &limit) == 0);
  }
  await_restore();
  for (unsigned i = 0; i < sizeof limits / sizeof *limits; i++) {
    struct rlimit limit;
    check(getrlimit(limits[i], &limit) == 0);
    check(limit.rlim_max != 4 << 20);
  }
}
