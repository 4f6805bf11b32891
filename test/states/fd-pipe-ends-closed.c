/*
 * pipes of which one end is closed: the rest is read, then end of file; a write gets EPIPE
 * restored: map
 */
#include <signal.h>

#include "state.h"

int main(void) {
  int to_read[2], to_write[2];
  char bytes[8];
  need(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
  need(pipe(to_read) == 0 && write(to_read[1], "rest", 4) == 4 && close(to_read[1]) == 0);
  need(pipe(to_write) == 0 && close(to_write[0]) == 0);
  await_restore();
  check(fcntl(to_read[1], F_GETFD) == -1 && fcntl(to_write[0], F_GETFD) == -1);
  check_equal(read(to_read[0], bytes, sizeof bytes), 4);
  check_equal(read(to_read[0], bytes, sizeof bytes), 0);
  check(write(to_write[1], "x", 1) == -1 && errno == EPIPE);
}
