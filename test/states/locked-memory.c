/*
 * memory locked with mlock is restored, but not locked: an image lies on a disk
 * restored: map, read
 */
#include "state.h"

int main(void) {
  char *memory = map_pages(16, PROT_READ | PROT_WRITE, 0);
  char *none = map_pages(4, PROT_NONE, 0);
  fill(memory, 16 * PAGE, 8);
  need(mlock(memory, 16 * PAGE) == 0 && has_area_flag(memory, "lo"));
  (void)mlock(none, 4 * PAGE);
  await_restore();
  check(is_filled(memory, 16 * PAGE, 8) && !has_area_flag(memory, "lo"));
  check(strcmp(area_protection(none), "---p") == 0);
  check(munlock(memory, 16 * PAGE) == 0);
}
