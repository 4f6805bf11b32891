/*
 * UDP sockets: bound, not bound, shared ports, broadcast; datagrams that were not read are lost
 * restored: map
 */
#include "inet.h"

static void check_hears(int fd, int family, int port) {
  char bytes[8];
  int sender = connect_to(family, SOCK_DGRAM, port);
  check(write(sender, "hello", 5) == 5);
  check_equal(read(fd, bytes, sizeof bytes), 5);
}

int main(void) {
  int v4 = inet_socket(AF_INET, SOCK_DGRAM), v6 = inet_socket(AF_INET6, SOCK_DGRAM), fresh = inet_socket(AF_INET, SOCK_DGRAM);
  int shared[2] = {inet_socket(AF_INET, SOCK_DGRAM), inet_socket(AF_INET, SOCK_DGRAM)};
  bind_to(v4, AF_INET, 0);
  bind_to(v6, AF_INET6, 0);
  set(v4, SOL_SOCKET, SO_BROADCAST, 1);
  set(v4, IPPROTO_IP, IP_PKTINFO, 1);
  set(v6, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  for (int i = 0; i < 2; i++) set(shared[i], SOL_SOCKET, SO_REUSEADDR, 1);
  bind_to(shared[0], AF_INET, 0);
  bind_to(shared[1], AF_INET, port_of(shared[0]));
  int v4_port = port_of(v4), v6_port = port_of(v6), shared_port = port_of(shared[0]);
  need(write(connect_to(AF_INET, SOCK_DGRAM, v4_port), "lost", 4) == 4 && close(shared[1] + 1) == 0);
  need(fcntl(v4, F_SETFD, FD_CLOEXEC) == 0);
  await_restore();
  check_equal(port_of(v4), v4_port);
  check_equal(get(v4, SOL_SOCKET, SO_BROADCAST), 1);
  check_equal(get(v4, IPPROTO_IP, IP_PKTINFO), 1);
  check_equal(get(v6, IPPROTO_IPV6, IPV6_RECVPKTINFO), 1);
  check_equal(port_of(shared[0]), shared_port);
  check_equal(port_of(shared[1]), shared_port);
  check_equal(port_of(fresh), 0);
  check_hears(v4, AF_INET, v4_port);
  check_hears(v6, AF_INET6, v6_port);
}
