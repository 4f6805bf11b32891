/*
 * TCP sockets that are bound and do not listen, and ones that are not bound
 * restored: map
 */
#include "inet.h"

int main(void) {
  int bound = inet_socket(AF_INET, SOCK_STREAM), fresh = inet_socket(AF_INET6, SOCK_STREAM);
  bind_to(bound, AF_INET, 0);
  set(fresh, IPPROTO_TCP, TCP_NODELAY, 1);
  int port = port_of(bound);
  await_restore();
  check_equal(port_of(bound), port);
  check(listen(bound, 1) == 0);
  check_accepts(bound, AF_INET, port);
  struct sockaddr_storage address;
  check(connect(fresh, (struct sockaddr *)&address, loopback(&address, AF_INET6, port)) == -1 && errno == ECONNREFUSED);
  check_equal(get(fresh, IPPROTO_TCP, TCP_NODELAY), 1);
}
