/*
 * epoll: data, edges, one shot that waits and one that is spent, exclusive, copies of descriptors
 * restored: map
 */
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "state.h"

static void watch(int epoll, int fd, uint32_t events) {
  struct epoll_event event = {events, {.u64 = 0xabcd00000000ull | (unsigned)fd}};
  need(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
}

/* The events of `fd`, 0 when there are none. */
static uint32_t events_of(int epoll, int fd) {
  struct epoll_event events[8];
  int count = epoll_wait(epoll, events, 8, 0);
  for (int i = 0; i < count; i++)
    if (events[i].data.u64 == (0xabcd00000000ull | (unsigned)fd)) return events[i].events;
  return 0;
}

static void ring(int fd) {
  uint64_t one = 1;
  if (write(fd, &one, 8) != 8) _exit(1);
}

static void silence(int fd) {
  uint64_t count;
  if (read(fd, &count, 8) != 8) _exit(1);
}

int main(void) {
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  int level = eventfd(1, 0), edge = eventfd(0, 0), armed = eventfd(0, 0), spent = eventfd(0, 0), shared = eventfd(0, 0);
  int copied = eventfd(0, 0), copy = dup(copied);
  watch(epoll, level, EPOLLIN);
  watch(epoll, edge, EPOLLIN | EPOLLET);
  watch(epoll, armed, EPOLLIN | EPOLLONESHOT);
  watch(epoll, spent, EPOLLIN | EPOLLONESHOT);
  watch(epoll, shared, EPOLLIN | EPOLLEXCLUSIVE);
  watch(epoll, copied, EPOLLIN);
  watch(epoll, copy, EPOLLOUT);
  ring(spent);
  need(events_of(epoll, spent) == EPOLLIN);
  await_restore();

  check_equal(fcntl(epoll, F_GETFD), FD_CLOEXEC);
  check_equal(events_of(epoll, level), EPOLLIN);
  check_equal(events_of(epoll, edge), 0);
  ring(edge);
  check_equal(events_of(epoll, edge), EPOLLIN);
  check_equal(events_of(epoll, edge), 0);
  ring(armed);
  check_equal(events_of(epoll, armed), EPOLLIN);
  check_equal(events_of(epoll, armed), 0);
  check_equal(events_of(epoll, spent), 0);
  struct epoll_event again = {EPOLLIN | EPOLLONESHOT, {.u64 = 0xabcd00000000ull | (unsigned)spent}};
  check(epoll_ctl(epoll, EPOLL_CTL_MOD, spent, &again) == 0);
  check_equal(events_of(epoll, spent), EPOLLIN);
  check_equal(events_of(epoll, shared), 0);
  ring(shared);
  check_equal(events_of(epoll, shared), EPOLLIN);
  check_equal(events_of(epoll, copied), 0);
  check_equal(events_of(epoll, copy), EPOLLOUT);
  ring(copied);
  check_equal(events_of(epoll, copied), EPOLLIN);
  silence(level);
  check_equal(events_of(epoll, level), 0);
}
