/*
 * a terabyte of address space without rights, of which parts are used
 * restored: map, read
 */
#include "state.h"

#define BYTES (1ul << 40)

int main(void) {
  char *memory = map_pages(BYTES / PAGE, PROT_NONE, MAP_NORESERVE);
  for (size_t at = 0; at < BYTES; at += BYTES / 16) {
    need(mprotect(memory + at, 16 * PAGE, PROT_READ | PROT_WRITE) == 0);
    fill(memory + at + PAGE, PAGE, at >> 36);
  }
  await_restore();
  for (size_t at = 0; at < BYTES; at += BYTES / 16) {
    check(is_filled(memory + at + PAGE, PAGE, at >> 36));
    check(strcmp(area_protection(memory + at), "rw-p") == 0 && strcmp(area_protection(memory + at + 16 * PAGE), "---p") == 0);
    check(mprotect(memory + at + 16 * PAGE, PAGE, PROT_READ | PROT_WRITE) == 0 && is_zero(memory + at + 16 * PAGE, PAGE));
  }
  check(munmap(memory, BYTES) == 0);
}
