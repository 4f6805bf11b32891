#include <asm/socket.h>
#include <linux/errno.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/tcp.h>

#include "cold.h"
#include "descriptors.h"
#include "plan_file.h"
#include "syscall.h"

#define AF_INET6 10
#define SOCK_STREAM 1

static void set_option(long fd, int level, int name, int value) {
  call(setsockopt, fd, level, name, &value, sizeof value);
}

/* The port follows the family in sockaddr_in and sockaddr_in6 alike, in network order. */
static uint64_t port_of(const char *address) { return (uint64_t)(uint8_t)address[2] << 8 | (uint8_t)address[3]; }

long make_listener(const struct crac_fd *wanted) {
  const char *address = plan_blob(wanted->b);
  long fd = call(socket, wanted->a, SOCK_STREAM, 0);
  if (is_error(fd)) give_up("the socket for port %u cannot be made: %e", port_of(address), fd);
  if (wanted->options & CRAC_SOCK_REUSEADDR) set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (wanted->options & CRAC_SOCK_REUSEPORT) set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  if (wanted->options & CRAC_SOCK_KEEPALIVE) set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  if (wanted->options & CRAC_SOCK_NODELAY) set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  if (wanted->a == AF_INET6) set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, (wanted->options & CRAC_SOCK_V6ONLY) != 0);
  long error = call(bind, fd, address, wanted->c);
  if (error == 0) error = call(listen, fd, wanted->d);
  if (error != 0) give_up("port %u cannot be listened on: %e", port_of(address), error);
  return fd;
}
