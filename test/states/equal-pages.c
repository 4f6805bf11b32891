/*
 * many equal pages in a row, of which few are stored: each is one of its own
 * restored: map, read
 */
#include "state.h"

#define COUNT 200
#define OTHERS 3

static int is_equal(const char *page, char byte) {
  for (size_t i = 0; i < PAGE; i++)
    if (page[i] != byte) return 0;
  return 1;
}

int main(void) {
  char *memory = mmap(NULL, (COUNT + 2 * OTHERS) * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  need(memory != MAP_FAILED);
  char *equal = memory + OTHERS * PAGE, *behind = equal + COUNT * PAGE;
  fill(memory, OTHERS * PAGE, 1);
  memset(equal, 0xff, COUNT * PAGE);
  fill(behind, OTHERS * PAGE, 2);
  await_restore();
  check(is_filled(memory, OTHERS * PAGE, 1) && is_filled(behind, OTHERS * PAGE, 2));
  for (int round = 0; round < COUNT; round++) {
    for (int page = 0; page < COUNT; page++) check(is_equal(equal + page * PAGE, page < round ? 7 : (char)0xff));
    memset(equal + round * PAGE, 7, PAGE);
  }
  check(is_filled(memory, OTHERS * PAGE, 1) && is_filled(behind, OTHERS * PAGE, 2));
  check(mprotect(equal, COUNT * PAGE, PROT_READ) == 0 && munmap(equal + PAGE, COUNT * PAGE / 2) == 0);
}
