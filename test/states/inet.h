/* TCP and UDP sockets on the loopback interface. */
#ifndef INET_H
#define INET_H
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "state.h"

static inline int inet_socket(int family, int type) {
  int fd = socket(family, type, 0);
  need(fd >= 0);
  return fd;
}

static inline socklen_t loopback(struct sockaddr_storage *address, int family, int port) {
  memset(address, 0, sizeof *address);
  if (family == AF_INET) {
    *(struct sockaddr_in *)address = (struct sockaddr_in){AF_INET, htons((uint16_t)port), {htonl(INADDR_LOOPBACK)}, {0}};
    return sizeof(struct sockaddr_in);
  }
  *(struct sockaddr_in6 *)address = (struct sockaddr_in6){AF_INET6, htons((uint16_t)port), 0, IN6ADDR_LOOPBACK_INIT, 0};
  return sizeof(struct sockaddr_in6);
}

/* To all addresses; port 0: one that is free. */
static inline int try_to_bind(int fd, int family, int port) {
  struct sockaddr_in v4 = {AF_INET, htons((uint16_t)port), {INADDR_ANY}, {0}};
  struct sockaddr_in6 v6 = {AF_INET6, htons((uint16_t)port), 0, IN6ADDR_ANY_INIT, 0};
  return family == AF_INET ? bind(fd, (struct sockaddr *)&v4, sizeof v4) : bind(fd, (struct sockaddr *)&v6, sizeof v6);
}

/* Port 0: one that is free, and that the kernel gives to nobody else between checkpoint and restore (ip_local_port_range). */
static inline void bind_to(int fd, int family, int port) {
  for (int i = 0; port == 0 && i < 100; i++)
    if (try_to_bind(fd, family, 10000 + (getpid() * 7 + i * 131) % 20000) == 0) return;
  need(try_to_bind(fd, family, port) == 0);
}

static inline int listen_on(int family, int port, int backlog) {
  int fd = inet_socket(family, SOCK_STREAM);
  bind_to(fd, family, port);
  need(listen(fd, backlog) == 0);
  return fd;
}

static inline int port_of(int fd) {
  struct sockaddr_storage address;
  socklen_t size = sizeof address;
  if (getsockname(fd, (struct sockaddr *)&address, &size) != 0) leave(1, "socket %d has no address", fd);
  return ntohs(((struct sockaddr_in *)&address)->sin_port); /* where sockaddr_in6 has it, too */
}

static inline int get(int fd, int level, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  if (getsockopt(fd, level, name, &value, &size) != 0) leave(1, "option %d.%d: %s", level, name, strerror(errno));
  return value;
}

static inline void set(int fd, int level, int name, int value) {
  if (setsockopt(fd, level, name, &value, sizeof value) != 0)
    leave(CANNOT_BE_SET, "option %d.%d: %s", level, name, strerror(errno));
}

/* Of a listening socket. */
static inline int backlog_of(int fd) {
  struct tcp_info info;
  socklen_t size = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) leave(1, "socket %d has no TCP_INFO", fd);
  return (int)info.tcpi_sacked;
}

static inline int connect_to(int family, int type, int port) {
  struct sockaddr_storage address;
  socklen_t size = loopback(&address, family, port);
  int fd = socket(family, type, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, size) != 0) leave(1, "port %d: %s", port, strerror(errno));
  return fd;
}

static inline void check_accepts(int listener, int family, int port) {
  char byte;
  int client = connect_to(family, SOCK_STREAM, port);
  check(write(client, "x", 1) == 1); /* first: TCP_DEFER_ACCEPT waits for it */
  int server = accept(listener, NULL, NULL);
  check(server >= 0 && read(server, &byte, 1) == 1 && byte == 'x');
}
#endif
