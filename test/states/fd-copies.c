/*
 * copies of descriptors share one file, high numbers stay
 * restored: map
 */
#include <sys/socket.h>

#include "state.h"

int main(void) {
  int pair[2], ends[2];
  char byte;
  need(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && pipe(ends) == 0);
  int socket_copy = dup2(pair[1], 200), pipe_copy = fcntl(ends[1], F_DUPFD_CLOEXEC, 100), standard_copy = dup2(1, 300);
  need(socket_copy == 200 && pipe_copy == 100 && standard_copy == 300);
  need(close(pair[1]) == 0 && close(ends[1]) == 0);
  await_restore();
  check_equal(fcntl(pipe_copy, F_GETFD), FD_CLOEXEC);
  check(write(socket_copy, "s", 1) == 1 && read(pair[0], &byte, 1) == 1 && byte == 's');
  check(write(pipe_copy, "p", 1) == 1 && read(ends[0], &byte, 1) == 1 && byte == 'p');
  check(fcntl(pair[0], F_SETFL, O_NONBLOCK) == 0 && (fcntl(socket_copy, F_GETFL) & O_NONBLOCK) == 0);
  check(fcntl(1, F_SETFL, O_APPEND) == 0 && (fcntl(standard_copy, F_GETFL) & O_APPEND) != 0);
}
