/*
 * unix pairs with what waits at their ends: a stream, datagrams, packets
 * restored: map
 */
#include <sys/socket.h>

#include "state.h"

static char sent[100000], got[sizeof sent];

int main(void) {
  int stream[2], datagrams[2], packets[2], idle[2];
  char bytes[16];
  int size = 300000, now = 0;
  socklen_t length = sizeof now;
  fill(sent, sizeof sent, 5);
  need(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, stream) == 0);
  need(setsockopt(stream[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == 0);
  need(write(stream[0], sent, sizeof sent) == sizeof sent && write(stream[1], "back", 4) == 4);
  need(socketpair(AF_UNIX, SOCK_DGRAM, 0, datagrams) == 0);
  need(write(datagrams[0], "one", 3) == 3 && write(datagrams[0], "three", 5) == 5);
  need(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, packets) == 0);
  need(write(packets[1], "first", 5) == 5 && write(packets[1], "2nd", 3) == 3);
  need(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, idle) == 0);
  await_restore();

  check(getsockopt(stream[0], SOL_SOCKET, SO_SNDBUF, &now, &length) == 0);
  check(now > 212992);
  check_equal(read(stream[1], got, sizeof got), sizeof got);
  check(is_filled(got, sizeof got, 5));
  check_equal(read(stream[0], bytes, sizeof bytes), 4);
  check(read(stream[0], bytes, 1) == -1 && errno == EAGAIN);
  check_equal(read(datagrams[1], bytes, sizeof bytes), 3);
  check(read(datagrams[1], bytes, sizeof bytes) == 5 && memcmp(bytes, "three", 5) == 0);
  check_equal(read(packets[0], bytes, sizeof bytes), 5);
  check_equal(read(packets[0], bytes, sizeof bytes), 3);
  check(write(idle[0], "x", 1) == 1 && read(idle[1], bytes, 1) == 1);
  check_equal(fcntl(idle[1], F_GETFD), FD_CLOEXEC);
}
