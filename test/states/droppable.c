/*
 * MAP_DROPPABLE memory comes back empty, and is empty in children: no two processes may share random numbers
 * restored: map, read
 */
#include "state.h"

#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE 0x08
#endif

int main(void) {
  char *memory = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_DROPPABLE | MAP_ANONYMOUS, -1, 0);
  need(memory != MAP_FAILED);
  fill(memory, 4 * PAGE, 1);
  await_restore();
  check(is_zero(memory, 4 * PAGE));
  fill(memory, 4 * PAGE, 2);
  pid_t child = fork();
  if (child == 0) _exit(is_zero(memory, 4 * PAGE) ? 0 : 1);
  int status;
  check(waitpid(child, &status, 0) == child);
  check_equal(status, 0);
}
