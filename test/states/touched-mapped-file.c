/*
 * a mapped file of the same size, but written again
 * before restore: touch -d 2001-01-01 mapped
 * not restored: *mapped has changed: another modification time
 */
#include "state.h"

int main(void) {
  write_file("mapped", "text", 4);
  int fd = open("mapped", O_RDONLY);
  need(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0) != MAP_FAILED && close(fd) == 0);
  await_restore();
}
