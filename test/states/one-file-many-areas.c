/*
 * one file mapped several times: at different offsets, read-only, private, under another name
 * restored: map, read
 */
#include "state.h"

int main(void) {
  char bytes[8 * PAGE];
  fill(bytes, sizeof bytes, 1);
  write_file("mapped", bytes, sizeof bytes);
  need(link("mapped", "other") == 0);
  int fd = open("mapped", O_RDONLY), other = open("other", O_RDONLY);
  char *whole = mmap(NULL, 8 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
  char *back = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 6 * PAGE);
  char *linked = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, other, PAGE);
  need(whole != MAP_FAILED && back != MAP_FAILED && linked != MAP_FAILED && close(fd) == 0 && close(other) == 0);
  back[0] = linked[PAGE] = 'x';
  await_restore();
  check(memcmp(whole, bytes, 8 * PAGE) == 0);
  check(back[0] == 'x' && memcmp(back + 1, bytes + 6 * PAGE + 1, 2 * PAGE - 1) == 0);
  check(linked[PAGE] == 'x' && memcmp(linked, bytes + PAGE, PAGE) == 0 && memcmp(linked + 2 * PAGE, bytes + 3 * PAGE, PAGE) == 0);
}
