/*
 * a thread is on an alternate stack that is part of its own stack: the frames that were interrupted lie below
 * restored: map, read
 */
#include <signal.h>

#include "state.h"

static void on_signal(int number) {
  (void)number;
  await_restore();
}

__attribute__((noinline)) static int raise_below(int depth) {
  volatile unsigned char frame[4096];
  fill((void *)frame, sizeof frame, depth);
  int is_right = depth == 0 ? raise(SIGUSR1) == 0 : raise_below(depth - 1);
  return is_right && is_filled((void *)frame, sizeof frame, depth);
}

static void *run(void *argument) {
  char memory[65536];
  stack_t stack = {.ss_sp = memory, .ss_size = sizeof memory};
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
  need(sigaltstack(&stack, NULL) == 0 && sigaction(SIGUSR1, &action, NULL) == 0);
  return raise_below(10) ? argument : NULL;
}

int main(void) {
  char one = 1;
  check(run(&one) == &one);
}
