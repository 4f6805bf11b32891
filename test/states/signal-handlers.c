/*
 * signal handlers with flags and masks, ignored signals, and those with the default action
 * restored: map
 */
#include <signal.h>

#include "state.h"

static void *volatile value_seen;
static volatile int was_blocked;

static void on_signal(int number, siginfo_t *info, void *context) {
  (void)context;
  sigset_t now;
  sigprocmask(SIG_BLOCK, NULL, &now);
  was_blocked = sigismember(&now, SIGUSR2) && !sigismember(&now, number);
  value_seen = info->si_value.sival_ptr;
}

int main(void) {
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_RESTART}, now;
  sigaddset(&action.sa_mask, SIGUSR2);
  need(sigaction(SIGUSR1, &action, NULL) == 0 && sigaction(SIGRTMIN + 5, &action, NULL) == 0);
  action.sa_flags |= SA_RESETHAND;
  need(sigaction(SIGTERM, &action, NULL) == 0);
  need(signal(SIGPIPE, SIG_IGN) != SIG_ERR && signal(SIGHUP, SIG_DFL) != SIG_ERR);
  await_restore();
  for (int round = 0; round < 2; round++) {
    value_seen = NULL;
    check(sigqueue(getpid(), round == 0 ? SIGUSR1 : SIGRTMIN + 5, (union sigval){.sival_ptr = &action}) == 0);
    check(value_seen == &action);
    check(was_blocked);
  }
  check(sigaction(SIGUSR1, NULL, &now) == 0);
  check((now.sa_flags & (SA_SIGINFO | SA_NODEFER | SA_RESTART | SA_RESETHAND)) == (SA_SIGINFO | SA_NODEFER | SA_RESTART));
  check(sigismember(&now.sa_mask, SIGUSR2) == 1);
  raise(SIGTERM);
  check(sigaction(SIGTERM, NULL, &now) == 0 && now.sa_handler == SIG_DFL);
  check(sigaction(SIGPIPE, NULL, &now) == 0 && now.sa_handler == SIG_IGN);
  check(sigaction(SIGHUP, NULL, &now) == 0 && now.sa_handler == SIG_DFL);
}
