/*
 * listening TCP sockets with their options
 * restored: map
 */
#include "inet.h"

int main(void) {
  int plain = listen_on(AF_INET, 0, 1), port = port_of(plain);
  int v6_only = inet_socket(AF_INET6, SOCK_STREAM), dual = inet_socket(AF_INET6, SOCK_STREAM), full = inet_socket(AF_INET, SOCK_STREAM);
  set(v6_only, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  bind_to(v6_only, AF_INET6, port);
  need(listen(v6_only, 5) == 0);
  set(dual, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  set(dual, IPPROTO_IPV6, IPV6_TCLASS, 0x20);
  set(dual, IPPROTO_IP, IP_TOS, 0x10);
  bind_to(dual, AF_INET6, 0);
  need(listen(dual, 5) == 0 && fcntl(dual, F_SETFL, O_NONBLOCK) == 0 && fcntl(dual, F_SETFD, FD_CLOEXEC) == 0);
  static const struct {
    int level, name, value;
  } options[] = {
      {SOL_SOCKET, SO_REUSEADDR, 1},  {SOL_SOCKET, SO_KEEPALIVE, 1},    {SOL_SOCKET, SO_OOBINLINE, 1},
      {SOL_SOCKET, SO_RCVBUF, 20000}, {SOL_SOCKET, SO_SNDBUF, 30000},   {SOL_SOCKET, SO_RCVLOWAT, 2},
      {SOL_SOCKET, SO_PRIORITY, 3},   {IPPROTO_TCP, TCP_NODELAY, 1},    {IPPROTO_TCP, TCP_KEEPIDLE, 70},
      {IPPROTO_TCP, TCP_KEEPINTVL, 7}, {IPPROTO_TCP, TCP_KEEPCNT, 4},   {IPPROTO_IP, IP_TOS, 0x10},
      {IPPROTO_IP, IP_TTL, 33},       {IPPROTO_IP, IP_FREEBIND, 1},     {IPPROTO_TCP, TCP_DEFER_ACCEPT, 5},
      {IPPROTO_TCP, TCP_USER_TIMEOUT, 4000}, {IPPROTO_TCP, TCP_FASTOPEN, 3}, {IPPROTO_TCP, TCP_SYNCNT, 4},
      {IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO},
  };
  enum { COUNT = sizeof options / sizeof options[0] };
  int before[COUNT];
  struct linger linger = {1, 9}, linger_after;
  struct timeval limit = {3, 500000}, limit_after;
  for (int i = 0; i < COUNT; i++) set(full, options[i].level, options[i].name, options[i].value);
  for (int i = 0; i < COUNT; i++) before[i] = get(full, options[i].level, options[i].name);
  need(setsockopt(full, IPPROTO_TCP, TCP_CONGESTION, "reno", 4) == 0);
  need(setsockopt(full, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) == 0);
  need(setsockopt(full, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
  bind_to(full, AF_INET, 0);
  need(listen(full, 77) == 0);
  int backlog_before = backlog_of(full), full_port = port_of(full), dual_port = port_of(dual);
  await_restore();

  for (int i = 0; i < COUNT; i++)
    if (get(full, options[i].level, options[i].name) != before[i])
      leave(1, "option %d.%d is %d, it was %d", options[i].level, options[i].name, get(full, options[i].level, options[i].name), before[i]);
  socklen_t size = sizeof linger_after;
  check(getsockopt(full, SOL_SOCKET, SO_LINGER, &linger_after, &size) == 0);
  check(memcmp(&linger, &linger_after, sizeof linger) == 0);
  char congestion[16];
  size = sizeof congestion;
  check(getsockopt(full, IPPROTO_TCP, TCP_CONGESTION, congestion, &size) == 0 && strcmp(congestion, "reno") == 0);
  size = sizeof limit_after;
  check(getsockopt(full, SOL_SOCKET, SO_RCVTIMEO, &limit_after, &size) == 0);
  check(memcmp(&limit, &limit_after, sizeof limit) == 0);
  check_equal(backlog_of(full), backlog_before);
  check_equal(backlog_of(plain), 1);
  check_equal(get(plain, SOL_SOCKET, SO_REUSEADDR), 0);
  check_equal(get(v6_only, IPPROTO_IPV6, IPV6_V6ONLY), 1);
  check_equal(get(dual, IPPROTO_IPV6, IPV6_V6ONLY), 0);
  check_equal(fcntl(dual, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
  check_equal(fcntl(dual, F_GETFD), FD_CLOEXEC);
  check_equal(get(dual, IPPROTO_IPV6, IPV6_TCLASS), 0x20);
  check_equal(get(dual, IPPROTO_IP, IP_TOS), 0x10);
  check_equal(port_of(full), full_port);
  check_equal(port_of(v6_only), port);
  check_accepts(plain, AF_INET, port);
  check_accepts(v6_only, AF_INET6, port);
  check_accepts(dual, AF_INET, dual_port);
  set(full, SOL_SOCKET, SO_RCVLOWAT, 1);
  check_accepts(full, AF_INET, full_port);
}
