/*
 * standard error, opened again by its name when it was a pipe
 * restored: map
 */
#include <sys/stat.h>

#include "state.h"

int main(void) {
  int ends[2];
  need(pipe(ends) == 0 && dup2(ends[1], 2) == 2);
  int again = open("/dev/stderr", O_WRONLY);
  need(again >= 0 && close(ends[0]) == 0 && close(ends[1]) == 0);
  await_restore();
  struct stat first, second;
  check(fstat(2, &first) == 0 && fstat(again, &second) == 0);
  check(first.st_dev == second.st_dev && first.st_ino == second.st_ino);
}
