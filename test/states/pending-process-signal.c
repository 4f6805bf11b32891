/*
 * a signal that waits for the process
 * refused: process: a signal is pending. Take the checkpoint again; do not send the app signals during the build
 */
#include <signal.h>

#include "state.h"

int main(void) {
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGUSR1);
  need(sigprocmask(SIG_BLOCK, &mask, NULL) == 0 && kill(getpid(), SIGUSR1) == 0);
  await_restore();
}
