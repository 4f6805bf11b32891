/*
 * a file mapped MAP_SHARED to write
 * refused: memory * (*mapped): it is a writable shared file mapping. Unmap it in beforeCheckpoint and map it again in afterRestore
 */
#include "state.h"

int main(void) {
  write_file("mapped", "text", 4);
  int fd = open("mapped", O_RDWR);
  need(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED && close(fd) == 0);
  await_restore();
}
