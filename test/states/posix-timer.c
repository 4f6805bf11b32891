/*
 * a timer of timer_create
 * refused: process: it has POSIX timers (timer_create). Stop profilers and timers in beforeCheckpoint
 */
#include <signal.h>

#include "state.h"

int main(void) {
  struct sigevent none = {.sigev_notify = SIGEV_NONE};
  timer_t timer;
  need(timer_create(CLOCK_MONOTONIC, &none, &timer) == 0);
  await_restore();
}
