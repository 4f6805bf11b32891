/*
 * memory of a memfd
 * refused: memory *: it is mapped from a memfd (memory). Unmap it in beforeCheckpoint
 */
#include "state.h"

int main(void) {
  int fd = memfd_create("memory", 0);
  need(fd >= 0 && ftruncate(fd, PAGE) == 0);
  need(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED && close(fd) == 0);
  await_restore();
}
