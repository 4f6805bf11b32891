/*
 * devices without a state
 * restored: map
 */
#include "state.h"

int main(void) {
  char bytes[64] = {1};
  int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDONLY), full = open("/dev/full", O_WRONLY);
  int urandom = open("/dev/urandom", O_RDONLY | O_CLOEXEC), random = open("/dev/random", O_RDONLY | O_NONBLOCK);
  need(null >= 0 && zero >= 0 && full >= 0 && urandom >= 0 && random >= 0);
  await_restore();
  check(write(null, bytes, 8) == 8 && read(null, bytes, 8) == 0);
  check(read(zero, bytes, sizeof bytes) == sizeof bytes && is_zero(bytes, sizeof bytes));
  check(write(full, bytes, 1) == -1 && errno == ENOSPC);
  check(read(urandom, bytes, sizeof bytes) == sizeof bytes && !is_zero(bytes, sizeof bytes));
  check_equal(fcntl(urandom, F_GETFD), FD_CLOEXEC);
  check_equal(fcntl(random, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
}
