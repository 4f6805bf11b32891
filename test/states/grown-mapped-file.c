/*
 * a mapped file that grew after the dump
 * before compile: echo more >> mapped
 * refused: mapped file *mapped: it had 4 bytes when it was mapped and has 9 now. Do not change files that the app has mapped
 */
#include "state.h"

int main(void) {
  write_file("mapped", "text", 4);
  int fd = open("mapped", O_RDONLY);
  need(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0) != MAP_FAILED && close(fd) == 0);
  await_restore();
}
