/*
 * an epoll that watches an epoll, as the pollers of virtual threads do
 * restored: map
 */
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "state.h"

int main(void) {
  int outer = epoll_create1(0), inner = epoll_create1(0), event = eventfd(0, 0);
  struct epoll_event to_inner = {EPOLLIN | EPOLLONESHOT, {.u64 = 1}}, to_event = {EPOLLIN, {.u64 = 2}}, got;
  need(epoll_ctl(outer, EPOLL_CTL_ADD, inner, &to_inner) == 0 && epoll_ctl(inner, EPOLL_CTL_ADD, event, &to_event) == 0);
  await_restore();
  uint64_t one = 1;
  check_equal(epoll_wait(outer, &got, 1, 0), 0);
  check(write(event, &one, 8) == 8);
  check_equal(epoll_wait(outer, &got, 1, 10000), 1);
  check_equal(got.data.u64, 1);
  check_equal(epoll_wait(inner, &got, 1, 0), 1);
  check_equal(got.data.u64, 2);
}
