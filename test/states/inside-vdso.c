/*
 * threads that read the clock in the kernel's vdso: such an instant can be dumped, but not restored
 * refused: thread * (reader): it was reading the clock in the kernel's vdso. Take the checkpoint again
 */
#include <sys/prctl.h>

#include "state.h"

static void *run(void *argument) {
  prctl(PR_SET_NAME, "reader");
  for (;;) now_ns(CLOCK_MONOTONIC);
  return argument;
}

int main(void) {
  /* So many that at least one is certain to be inside. */
  for (int i = 0; i < 24; i++) start_thread(run, NULL);
  usleep(20000);
  await_restore();
}
