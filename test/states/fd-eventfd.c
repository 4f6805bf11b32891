/*
 * eventfds: a count, none, one that counts down, and flags
 * restored: map
 */
#include <sys/eventfd.h>

#include "state.h"

int main(void) {
  int counted = eventfd(41, EFD_CLOEXEC), idle = eventfd(0, EFD_NONBLOCK), semaphore = eventfd(2, EFD_SEMAPHORE);
  uint64_t one = 1, count = 0;
  need(counted >= 0 && idle >= 0 && semaphore >= 0 && write(counted, &one, 8) == 8);
  await_restore();
  check_equal(fcntl(counted, F_GETFD), FD_CLOEXEC);
  check(read(counted, &count, 8) == 8);
  check_equal(count, 42);
  for (int i = 0; i < 2; i++) {
    check(read(semaphore, &count, 8) == 8);
    check_equal(count, 1);
  }
  check(read(idle, &count, 8) == -1 && errno == EAGAIN);
  check(write(idle, &one, 8) == 8 && read(idle, &count, 8) == 8);
}
