/*
 * two sockets that listen on one port (SO_REUSEPORT)
 * restored: map
 */
#include "inet.h"

int main(void) {
  int first = inet_socket(AF_INET, SOCK_STREAM), second = inet_socket(AF_INET, SOCK_STREAM);
  set(first, SOL_SOCKET, SO_REUSEPORT, 1);
  set(second, SOL_SOCKET, SO_REUSEPORT, 1);
  bind_to(first, AF_INET, 0);
  int port = port_of(first);
  bind_to(second, AF_INET, port);
  need(listen(first, 5) == 0 && listen(second, 5) == 0);
  await_restore();
  check_equal(port_of(first), port);
  check_equal(port_of(second), port);
  check_equal(get(first, SOL_SOCKET, SO_REUSEPORT), 1);
  check(connect_to(AF_INET, SOCK_STREAM, port) >= 0);
}
