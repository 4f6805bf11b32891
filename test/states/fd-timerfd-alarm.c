/*
 * a timer that wakes the machine
 * not dumped: descriptor 3 is a timerfd whose clock (9) wakes the machine. Close it in beforeCheckpoint, or use CLOCK_BOOTTIME.
 */
#include <sys/timerfd.h>

#include "state.h"

int main(void) {
  need(timerfd_create(CLOCK_BOOTTIME_ALARM, 0) == 3);
  await_restore();
}
