/*
 * a mapped file in whose place there is another one, as after an update
 * refused: mapped file *mapped: it was deleted or replaced. Do not delete or replace files that the app has mapped
 */
#include "state.h"

int main(void) {
  write_file("mapped", "text", 4);
  int fd = open("mapped", O_RDONLY);
  need(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0) != MAP_FAILED && close(fd) == 0);
  write_file("new", "other", 5);
  need(rename("new", "mapped") == 0);
  await_restore();
}
