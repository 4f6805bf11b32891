/*
 * a pipe in packet mode
 * not dumped: descriptor * is a pipe in packet mode (O_DIRECT). Close it in beforeCheckpoint.
 */
#include "state.h"

int main(void) {
  int ends[2];
  need(pipe2(ends, O_DIRECT) == 0);
  await_restore();
}
