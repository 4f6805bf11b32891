/*
 * the main thread has ended, others go on
 * not dumped: CRIU may not stop the app: ptrace is not permitted. The build container needs CAP_SYS_PTRACE and seccomp=unconfined, no debugger or tracer may be attached to the app, and its main thread must not have ended before the others.
 */
#include "state.h"

static void *run(void *argument) {
  usleep(20000);
  await_restore();
  exit(0);
  return argument;
}

int main(void) {
  start_thread(run, NULL);
  pthread_exit(NULL);
}
