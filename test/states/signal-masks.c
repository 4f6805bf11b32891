/*
 * another signal mask for each thread
 * restored: map
 */
#include <signal.h>

#include "state.h"

#define COUNT 3
static const int blocked[COUNT][2] = {{SIGUSR1, 64}, {SIGTERM, SIGCHLD}, {SIGHUP, SIGHUP}};
static pthread_barrier_t ready, restored;

static void *run(void *signals) {
  const int *mine = signals;
  sigset_t mask, now;
  sigemptyset(&mask);
  sigaddset(&mask, mine[0]);
  sigaddset(&mask, mine[1]);
  pthread_sigmask(SIG_SETMASK, &mask, NULL);
  pthread_barrier_wait(&ready);
  pthread_barrier_wait(&restored);
  pthread_sigmask(SIG_SETMASK, NULL, &now);
  for (int number = 1; number < SIGRTMAX; number++)
    if (sigismember(&now, number) != sigismember(&mask, number)) return NULL;
  return signals;
}

int main(void) {
  pthread_t threads[COUNT];
  sigset_t now;
  pthread_barrier_init(&ready, NULL, COUNT + 1);
  pthread_barrier_init(&restored, NULL, COUNT + 1);
  for (int i = 0; i < COUNT; i++) threads[i] = start_thread(run, (void *)blocked[i]);
  pthread_barrier_wait(&ready);
  await_restore();
  pthread_barrier_wait(&restored);
  for (int i = 0; i < COUNT; i++) check(result_of(threads[i]) != NULL);
  pthread_sigmask(SIG_SETMASK, NULL, &now);
  for (int number = 1; number < SIGRTMAX; number++) check(sigismember(&now, number) != 1);
}
