/*
 * memory that the program itself gives back to the kernel reads as zeros
 * restored: map, read
 */
#include "state.h"

int main(void) {
  char *memory = map_pages(1024, PROT_READ | PROT_WRITE, 0);
  fill(memory, 1024 * PAGE, 1);
  await_restore();
  check(is_filled(memory, 1024 * PAGE, 1));
  check(madvise(memory + 100 * PAGE, 500 * PAGE, MADV_DONTNEED) == 0);
  check(is_zero(memory + 100 * PAGE, 500 * PAGE));
}
