/*
 * a thread with another scheduling policy
 * refused: thread * (batch): its scheduling was changed. Start the app without nice, chrt or -XX:ThreadPriorityPolicy=1
 */
#include <sched.h>

#include "state.h"

static pthread_barrier_t ready;

static void *run(void *argument) {
  struct sched_param none = {0};
  need(sched_setscheduler(0, SCHED_BATCH, &none) == 0 && pthread_setname_np(pthread_self(), "batch") == 0);
  pthread_barrier_wait(&ready);
  pause();
  return argument;
}

int main(void) {
  pthread_barrier_init(&ready, NULL, 2);
  start_thread(run, NULL);
  pthread_barrier_wait(&ready);
  await_restore();
}
