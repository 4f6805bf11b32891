/*
 * a pipe with bytes inside, a capacity of its own, and flags at each end
 * restored: map
 */
#include "state.h"

int main(void) {
  int ends[2];
  char bytes[32];
  need(pipe(ends) == 0 && fcntl(ends[1], F_SETPIPE_SZ, 4 * PAGE) == 4 * PAGE);
  need(fcntl(ends[0], F_SETFD, FD_CLOEXEC) == 0 && fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);
  need(write(ends[1], "one", 3) == 3 && write(ends[1], "two", 3) == 3);
  await_restore();
  check_equal(fcntl(ends[1], F_GETPIPE_SZ), 4 * PAGE);
  check_equal(fcntl(ends[0], F_GETFD), FD_CLOEXEC);
  check_equal(fcntl(ends[1], F_GETFD), 0);
  check_equal(fcntl(ends[0], F_GETFL), O_RDONLY);
  check_equal(fcntl(ends[1], F_GETFL), O_WRONLY | O_NONBLOCK);
  check(write(ends[1], "three", 5) == 5);
  check_equal(read(ends[0], bytes, sizeof bytes), 11);
  check(memcmp(bytes, "onetwothree", 11) == 0);
}
