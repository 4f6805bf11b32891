/*
 * MAP_NORESERVE memory, partly used
 * restored: map, read
 */
#include "state.h"

#define PAGES 262144 /* 1 GiB */

int main(void) {
  char *memory = map_pages(PAGES, PROT_READ | PROT_WRITE, MAP_NORESERVE);
  for (size_t page = 0; page < PAGES; page += 20000) fill(memory + page * PAGE, PAGE, page);
  need(has_area_flag(memory, "nr"));
  await_restore();
  for (size_t page = 0; page < PAGES; page += 20000) {
    check(is_filled(memory + page * PAGE, PAGE, page) && is_zero(memory + (page + 1) * PAGE, PAGE));
    check(has_area_flag(memory + (page + 1) * PAGE, "nr"));
  }
}
