/*
 * an alternate signal stack of each thread
 * restored: map, read
 */
#include <signal.h>

#include "state.h"

#define COUNT 3
#define STACK_BYTES 65536
static char stacks[COUNT][STACK_BYTES];
static _Thread_local char *own_stack;
static _Thread_local volatile int was_on_it;
static pthread_barrier_t ready, restored;

static void on_signal(int number) {
  char here;
  was_on_it = number == SIGUSR1 && &here >= own_stack && &here < own_stack + STACK_BYTES;
}

static void set_stack(char *memory) {
  stack_t stack = {.ss_sp = own_stack = memory, .ss_size = STACK_BYTES};
  need(sigaltstack(&stack, NULL) == 0);
}

static int is_stack_used(void) {
  stack_t now;
  raise(SIGUSR1);
  return was_on_it && sigaltstack(NULL, &now) == 0 && now.ss_sp == own_stack && now.ss_size == STACK_BYTES && now.ss_flags == 0;
}

static void *run(void *memory) {
  set_stack(memory);
  pthread_barrier_wait(&ready);
  pthread_barrier_wait(&restored);
  return is_stack_used() ? memory : NULL;
}

int main(void) {
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
  pthread_t threads[COUNT - 1];
  need(sigaction(SIGUSR1, &action, NULL) == 0);
  pthread_barrier_init(&ready, NULL, COUNT);
  pthread_barrier_init(&restored, NULL, COUNT);
  set_stack(stacks[0]);
  for (int i = 1; i < COUNT; i++) threads[i - 1] = start_thread(run, stacks[i]);
  pthread_barrier_wait(&ready);
  await_restore();
  pthread_barrier_wait(&restored);
  for (int i = 1; i < COUNT; i++) check(result_of(threads[i - 1]) != NULL);
  check(is_stack_used());
}
