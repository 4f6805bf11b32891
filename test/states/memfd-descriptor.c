/*
 * a descriptor of a memfd
 * refused: descriptor 3 (memfd): it cannot be restored. Close it in beforeCheckpoint; choose a collector other than ZGC
 */
#include "state.h"

int main(void) {
  int fd = memfd_create("memory", 0);
  need(fd >= 0 && ftruncate(fd, PAGE) == 0);
  await_restore();
}
