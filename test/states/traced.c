/*
 * a debugger is attached
 * not dumped: CRIU may not stop the app: ptrace is not permitted. The build container needs CAP_SYS_PTRACE and seccomp=unconfined, no debugger or tracer may be attached to the app, and its main thread must not have ended before the others.
 */
#include <sys/prctl.h>
#include <sys/ptrace.h>

#include "state.h"

int main(void) {
  int channel[2];
  char byte;
  prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
  need(pipe2(channel, O_CLOEXEC) == 0);
  if (fork() == 0) {
    byte = ptrace(PTRACE_SEIZE, getppid(), 0, 0) == 0;
    if (write(channel[1], &byte, 1) == 1) pause();
  }
  need(read(channel[0], &byte, 1) == 1 && byte == 1);
  await_restore();
}
