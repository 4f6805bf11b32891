/*
 * current folder
 * restored: map
 */
#include <sys/stat.h>

#include "state.h"

int main(void) {
  char before[4096], after[4096];
  need(mkdir("folder", 0755) == 0 && chdir("folder") == 0 && getcwd(before, sizeof before) != NULL);
  await_restore();
  check(getcwd(after, sizeof after) != NULL);
  check(strcmp(before, after) == 0);
}
