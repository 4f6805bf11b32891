/*
 * unix streams that are shut down in one direction or whose other end has gone, with bytes that were not read
 * restored: map
 */
#include <signal.h>
#include <sys/socket.h>

#include "state.h"

int main(void) {
  int half[2], gone[2], packets[2];
  char bytes[16];
  need(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
  need(socketpair(AF_UNIX, SOCK_STREAM, 0, half) == 0 && write(half[0], "last", 4) == 4 && shutdown(half[0], SHUT_WR) == 0);
  need(socketpair(AF_UNIX, SOCK_STREAM, 0, gone) == 0 && write(gone[0], "rest", 4) == 4 && close(gone[0]) == 0);
  need(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, packets) == 0 && write(packets[1], "p", 1) == 1 && close(packets[1]) == 0);
  await_restore();
  check(write(half[0], "x", 1) == -1 && errno == EPIPE);
  check_equal(read(half[1], bytes, sizeof bytes), 4);
  check_equal(read(half[1], bytes, sizeof bytes), 0);
  check(write(half[1], "back", 4) == 4 && read(half[0], bytes, sizeof bytes) == 4);
  check_equal(read(gone[1], bytes, sizeof bytes), 4);
  check_equal(read(gone[1], bytes, sizeof bytes), 0);
  check(write(gone[1], "x", 1) == -1 && errno == EPIPE);
  check_equal(read(packets[0], bytes, sizeof bytes), 1);
  check_equal(read(packets[0], bytes, sizeof bytes), 0);
}
