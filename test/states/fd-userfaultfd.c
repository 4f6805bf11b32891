/*
 * a userfaultfd
 * not dumped: descriptor 3 is of a kind that cannot be dumped: anon_inode:[userfaultfd]. Close it in beforeCheckpoint.
 */
#include "state.h"

int main(void) {
  need(syscall(SYS_userfaultfd, O_CLOEXEC) >= 0);
  await_restore();
}
