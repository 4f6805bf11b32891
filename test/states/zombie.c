/*
 * a child process that has ended and was not waited for
 * refused: child process * (zombie): it has ended, and the app has not waited for it. Wait for child processes before the checkpoint (Process.waitFor)
 */
#include "state.h"

int main(void) {
  pid_t child = fork();
  need(child >= 0);
  if (child == 0) _exit(3);
  siginfo_t info;
  need(waitid(P_PID, child, &info, WEXITED | WNOWAIT) == 0);
  await_restore();
}
