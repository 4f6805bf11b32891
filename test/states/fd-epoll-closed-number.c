/*
 * an epoll that watches a file whose descriptor was closed, while a copy keeps the file
 * restored: map
 */
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "state.h"

int main(void) {
  int epoll = epoll_create1(0), event = eventfd(0, 0), copy = dup(event);
  struct epoll_event in = {EPOLLIN, {.u64 = 7}}, got = {0};
  uint64_t one = 1;
  need(epoll_ctl(epoll, EPOLL_CTL_ADD, event, &in) == 0 && close(event) == 0);
  await_restore();
  check(write(copy, &one, sizeof one) == sizeof one);
  check_equal(epoll_wait(epoll, &got, 1, 10000), 1);
  check_equal(got.data.u64, 7);
}
