/*
 * a signal that waits for a thread
 * refused: thread * (pending-thread-): a signal is pending. Take the checkpoint again; do not send the app signals during the build
 */
#include <signal.h>

#include "state.h"

int main(void) {
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGUSR1);
  need(sigprocmask(SIG_BLOCK, &mask, NULL) == 0 && pthread_kill(pthread_self(), SIGUSR1) == 0);
  await_restore();
}
