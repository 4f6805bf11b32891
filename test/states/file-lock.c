/*
 * a lock on a file
 * not dumped: descriptor 3 (*lock) has a file lock or a lease. Release it in beforeCheckpoint (embedded databases, single-instance locks).
 */
#include <sys/file.h>

#include "state.h"

int main(void) {
  int fd = open("lock", O_RDONLY | O_CREAT, 0644);
  need(fd >= 0 && flock(fd, LOCK_EX) == 0);
  await_restore();
}
