/*
 * the usual attributes: dumpable, no reaper, huge pages where they are wanted
 * restored: map
 */
#include <sys/prctl.h>

#include "state.h"

int main(void) {
  await_restore();
  int is_reaper = 1;
  check(prctl(PR_GET_CHILD_SUBREAPER, &is_reaper) == 0);
  check_equal(is_reaper, 0);
  check_equal(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0), 0);
  check_equal(prctl(PR_GET_DUMPABLE), 1);
}
