/*
 * a timer that waits for a time of day
 * refused: descriptor 3 (timerfd): it waits for a time of day, which may be over when it is restored. Close it in beforeCheckpoint and make it again in afterRestore
 */
#include <sys/timerfd.h>

#include "state.h"

int main(void) {
  struct itimerspec times = {{0, 0}, timespec_of(now_ns(CLOCK_REALTIME) + 3600000000000ll)};
  int fd = timerfd_create(CLOCK_REALTIME, 0);
  need(fd == 3 && timerfd_settime(fd, TFD_TIMER_ABSTIME, &times, NULL) == 0);
  await_restore();
}
