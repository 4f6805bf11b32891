/*
 * the heap of brk: what is in it, and that it can grow and shrink
 * restored: map, read
 */
#include "state.h"

int main(void) {
  unsigned char is_there;
  char *start = sbrk(64 * PAGE);
  need(start != (void *)-1);
  fill(start, 64 * PAGE, 6);
  await_restore();
  check(is_filled(start, 64 * PAGE, 6));
  check(sbrk(0) == start + 64 * PAGE);
  check(sbrk(16 * PAGE) == start + 64 * PAGE && is_zero(start + 64 * PAGE, 16 * PAGE));
  check(sbrk(-40 * (long)PAGE) == start + 80 * PAGE && mincore(start + 40 * PAGE, PAGE, &is_there) != 0 && errno == ENOMEM);
  check(is_filled(start, 40 * PAGE, 6));
}
