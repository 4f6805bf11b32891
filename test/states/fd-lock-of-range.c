/*
 * a lock on a part of a file
 * not dumped: descriptor 3 (*lock) has a file lock or a lease. Release it in beforeCheckpoint (embedded databases, single-instance locks).
 */
#include "state.h"

int main(void) {
  int fd = open("lock", O_RDWR | O_CREAT, 0644);
  struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 3, .l_len = 1};
  need(fd >= 0 && fcntl(fd, F_SETLK, &range) == 0);
  await_restore();
}
