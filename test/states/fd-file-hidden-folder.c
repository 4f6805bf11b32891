/*
 * a file that is written, in folders that the app made and that are not in the new container
 * restored: map
 * resource: 3 reopen
 * before restore: rm -r logs && chmod 777 .
 */
#include <sys/stat.h>

#include "state.h"

int main(void) {
  need(mkdir("logs", 0777) == 0 && mkdir("logs/today", 0777) == 0);
  need(open("logs/today/log", O_WRONLY | O_CREAT | O_APPEND, 0644) == 3 && write(3, "before", 6) == 6);
  await_restore();
  check(write(3, "after", 5) == 5);
  struct stat status;
  check(stat("logs/today/log", &status) == 0);
  check_equal(status.st_size, 5);
  check_equal(status.st_mode & 0777, 0644);
}
