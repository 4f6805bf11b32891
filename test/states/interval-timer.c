/*
 * a timer of setitimer
 * refused: process: an interval timer is running (setitimer). Stop it in beforeCheckpoint
 */
#include <sys/time.h>

#include "state.h"

int main(void) {
  struct itimerval value = {.it_value = {1000, 0}};
  need(setitimer(ITIMER_PROF, &value, NULL) == 0);
  await_restore();
}
