/*
 * a lease on a file
 * not dumped: descriptor 3 (*leased) has a file lock or a lease. Release it in beforeCheckpoint (embedded databases, single-instance locks).
 */
#include "state.h"

int main(void) {
  write_file("leased", "text", 4);
  int fd = open("leased", O_RDONLY);
  need(fd >= 0 && fcntl(fd, F_SETLEASE, F_RDLCK) == 0);
  await_restore();
}
