/*
 * prctl: not dumpable, reaper of orphans, no transparent huge pages, no new privileges
 * restored: map
 */
#include <sys/prctl.h>

#include "state.h"

int main(void) {
  need(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
  need(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0 && prctl(PR_SET_DUMPABLE, 0) == 0);
  await_restore();
  int is_reaper = 0;
  check(prctl(PR_GET_CHILD_SUBREAPER, &is_reaper) == 0);
  check_equal(is_reaper, 1);
  check_equal(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0), 1);
  check_equal(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
  check_equal(prctl(PR_GET_DUMPABLE), 0);
}
