/*
 * timers: one that runs, one with an interval, one that was not read, one that is off
 * restored: map
 */
#include <poll.h>
#include <sys/timerfd.h>

#include "state.h"

static int start_timer(clockid_t clock, int flags, long first_ms, long then_ms, int set_flags) {
  struct itimerspec times = {timespec_of(then_ms * 1000000), timespec_of(first_ms * 1000000)};
  int fd = timerfd_create(clock, flags);
  need(fd >= 0);
  if (set_flags & TFD_TIMER_ABSTIME) times.it_value = timespec_of(now_ns(clock) + first_ms * 1000000);
  need(timerfd_settime(fd, set_flags, &times, NULL) == 0);
  return fd;
}

static uint64_t read_expirations(int fd) {
  uint64_t count = 0;
  check(read(fd, &count, sizeof count) == sizeof count);
  return count;
}

int main(void) {
  int hours = start_timer(CLOCK_MONOTONIC, TFD_CLOEXEC, 7200000, 0, TFD_TIMER_ABSTIME);
  int soon = start_timer(CLOCK_BOOTTIME, 0, 60000, 0, 0);
  int expired = start_timer(CLOCK_MONOTONIC, TFD_NONBLOCK, 1, 0, 0);
  int repeated = start_timer(CLOCK_REALTIME, 0, 1, 3600000, 0);
  int off = start_timer(CLOCK_MONOTONIC, TFD_NONBLOCK, 0, 0, 0);
  struct pollfd both[2] = {{expired, POLLIN, 0}, {repeated, POLLIN, 0}};
  while (poll(both, 2, -1) != 2) continue;
  await_restore();

  struct itimerspec left;
  check_equal(fcntl(hours, F_GETFD), FD_CLOEXEC);
  check(timerfd_gettime(hours, &left) == 0);
  check(left.it_value.tv_sec > 7100 && left.it_value.tv_sec <= 7200 && left.it_interval.tv_sec == 0);
  check(timerfd_gettime(soon, &left) == 0 && left.it_value.tv_sec > 0 && left.it_value.tv_sec <= 60);
  check_equal(read_expirations(expired), 1);
  uint64_t count;
  check(read(expired, &count, 8) == -1 && errno == EAGAIN);
  check_equal(read_expirations(repeated), 1);
  check(timerfd_gettime(repeated, &left) == 0);
  check_equal(left.it_interval.tv_sec, 3600);
  check(left.it_value.tv_sec > 3500);
  check(read(off, &count, 8) == -1 && errno == EAGAIN);
  struct itimerspec at_once = {{0, 0}, {0, 1}};
  check(timerfd_settime(off, 0, &at_once, NULL) == 0);
  check(poll(&(struct pollfd){off, POLLIN, 0}, 1, 10000) == 1);
}
