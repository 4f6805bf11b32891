/*
 * 4000 areas of memory
 * restored: map, read
 */
#include "state.h"

#define AREAS 4000

int main(void) {
  char *memory = map_pages(2 * AREAS, PROT_READ | PROT_WRITE, 0);
  for (unsigned i = 0; i < AREAS; i++) {
    fill(memory + 2 * i * PAGE, 16, i);
    need(mprotect(memory + 2 * i * PAGE, PAGE, i % 2 == 0 ? PROT_READ : PROT_READ | PROT_EXEC) == 0);
  }
  await_restore();
  for (unsigned i = 0; i < AREAS; i++) {
    check(is_filled(memory + 2 * i * PAGE, 16, i));
    memory[(2 * i + 1) * PAGE] = 1;
  }
  check(strcmp(area_protection(memory + 2 * PAGE), "r-xp") == 0);
}
