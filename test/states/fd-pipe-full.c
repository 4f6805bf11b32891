/*
 * a pipe that is full
 * restored: map
 */
#include "state.h"

static char sent[65536], got[sizeof sent];

int main(void) {
  int ends[2];
  fill(sent, sizeof sent, 3);
  need(pipe2(ends, O_NONBLOCK) == 0 && write(ends[1], sent, sizeof sent) == sizeof sent);
  await_restore();
  check(write(ends[1], "x", 1) == -1 && errno == EAGAIN);
  check_equal(read(ends[0], got, sizeof got), sizeof got);
  check(is_filled(got, sizeof got, 3));
}
