/*
 * written, untouched and zeroed pages of private memory
 * restored: map, read
 */
#include "state.h"

int main(void) {
  char *memory = map_pages(1024, PROT_READ | PROT_WRITE, 0);
  for (int page = 0; page < 1024; page += 3) fill(memory + page * PAGE, PAGE, page);
  memset(memory + 33 * PAGE, 0, PAGE);
  await_restore();
  for (int page = 0; page < 1024; page++)
    check(page % 3 == 0 && page != 33 ? is_filled(memory + page * PAGE, PAGE, page) : is_zero(memory + page * PAGE, PAGE));
  fill(memory, 1024 * PAGE, 7);
  check(is_filled(memory, 1024 * PAGE, 7));
}
