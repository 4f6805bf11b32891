/*
 * an epoll that watches a file whose descriptor was closed, and another file under the number of its copy
 * refused: descriptor 3 (epoll): it watches descriptor 5 twice, once under a number that is closed. Remove it from the selector before it is closed
 */
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "state.h"

int main(void) {
  int epoll = epoll_create1(0), event = eventfd(0, 0), copy = dup(event);
  struct epoll_event in = {EPOLLIN, {.u64 = 1}};
  need(epoll == 3 && copy == 5);
  need(epoll_ctl(epoll, EPOLL_CTL_ADD, event, &in) == 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, copy, &in) == 0);
  need(close(event) == 0);
  await_restore();
}
