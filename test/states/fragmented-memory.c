/*
 * more stretches of written pages than a process may have mappings (vm.max_map_count)
 * restored: map
 */
#include "state.h"

#define PAGES 70000ul

int main(void) {
  char *memory = map_pages(PAGES, PROT_READ | PROT_WRITE, 0);
  for (unsigned page = 0; page < PAGES; page += 2) fill(memory + page * PAGE, 64, page);
  await_restore();
  for (unsigned page = 0; page < PAGES; page++)
    check(page % 2 == 0 ? is_filled(memory + page * PAGE, 64, page) : is_zero(memory + page * PAGE, PAGE));
  /* and there is room for the app's own */
  for (int i = 0; i < 10000; i++) check(mmap(NULL, PAGE, i % 2 ? PROT_READ : PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
}
