/*
 * code that can be executed but not read
 * restored: map, read
 */
#include "state.h"

static const unsigned char answer[] = {0xb8, 42, 0, 0, 0, 0xc3}; /* mov $42, %eax; ret */

int main(void) {
  char *code = map_pages(1, PROT_READ | PROT_WRITE, 0);
  memcpy(code, answer, sizeof answer);
  need(mprotect(code, PAGE, PROT_EXEC) == 0);
  int (*function)(void) = (int (*)(void))code;
  need(function() == 42);
  await_restore();
  check_equal(function(), 42);
  check(strcmp(area_protection(code), "--xp") == 0);
}
