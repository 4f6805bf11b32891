/*
 * a file mapped MAP_SHARED to read
 * restored: map, read
 */
#include "state.h"

int main(void) {
  char bytes[3 * PAGE];
  fill(bytes, sizeof bytes, 2);
  write_file("mapped", bytes, sizeof bytes - 100);
  int fd = open("mapped", O_RDONLY);
  char *memory = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, PAGE);
  need(memory != MAP_FAILED && close(fd) == 0);
  await_restore();
  check(memcmp(memory, bytes + PAGE, 2 * PAGE - 100) == 0 && is_zero(memory + 2 * PAGE - 100, 100));
  check(strcmp(area_protection(memory), "r--s") == 0);
  check(mprotect(memory, 2 * PAGE, PROT_READ | PROT_WRITE) != 0 && errno == EACCES);
}
