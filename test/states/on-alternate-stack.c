/*
 * a thread is inside a signal handler on its alternate stack, and returns from it
 * restored: map
 */
#include <setjmp.h>
#include <signal.h>

#include "state.h"

static char memory[65536];
static volatile int is_restored, depth;

static void on_signal(int number) {
  (void)number;
  if (depth++ > 0) return;
  await_restore();
  is_restored = 1;
}

int main(void) {
  stack_t stack = {.ss_sp = memory, .ss_size = sizeof memory}, now;
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
  sigset_t mask;
  need(sigaltstack(&stack, NULL) == 0 && sigaction(SIGUSR1, &action, NULL) == 0);
  raise(SIGUSR1);
  check(is_restored);
  check(sigprocmask(SIG_BLOCK, NULL, &mask) == 0 && !sigismember(&mask, SIGUSR1));
  check(sigaltstack(NULL, &now) == 0);
  check(now.ss_sp == memory && now.ss_flags == 0);
  raise(SIGUSR1);
  check_equal(depth, 2);
}
