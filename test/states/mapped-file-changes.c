/*
 * a mapped file that is another one in the final image
 * before restore: echo more >> mapped
 * not restored: *mapped has changed: * bytes, 4096 at the checkpoint
 */
#include "state.h"

int main(void) {
  char bytes[PAGE];
  fill(bytes, sizeof bytes, 1);
  write_file("mapped", bytes, sizeof bytes);
  int fd = open("mapped", O_RDONLY);
  need(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0) != MAP_FAILED && close(fd) == 0);
  await_restore();
}
