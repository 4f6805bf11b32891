/*
 * a mapped file that is not in the final image
 * before compile: rm mapped
 * refused: mapped file *mapped: it does not exist in the image. Do not delete or replace files that the app has mapped
 */
#include "state.h"

int main(void) {
  write_file("mapped", "text", 4);
  int fd = open("mapped", O_RDONLY);
  need(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0) != MAP_FAILED && close(fd) == 0);
  await_restore();
}
