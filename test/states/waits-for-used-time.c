/*
 * a thread that sleeps until the process has used so much time, which is counted anew after a restore
 * refused: thread * (waiter): it sleeps until a time of a clock that will begin anew (clock -6). Take the checkpoint again
 */
#include <sys/prctl.h>

#include "state.h"

static _Atomic pid_t tid;

static void *run(void *argument) {
  struct timespec deadline = {1000, 0};
  prctl(PR_SET_NAME, "waiter");
  tid = gettid();
  clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, TIMER_ABSTIME, &deadline, NULL);
  return argument;
}

int main(void) {
  start_thread(run, NULL);
  while (tid == 0) usleep(100);
  await_system_call(tid, SYS_clock_nanosleep);
  await_restore();
}
