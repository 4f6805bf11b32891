/*
 * guard pages: areas without rights, and MADV_GUARD_INSTALL within an area
 * restored: map, read
 */
#include <setjmp.h>
#include <signal.h>

#include "state.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif

static sigjmp_buf back;

static void on_fault(int number) { siglongjmp(back, number); }

static int faults(volatile char *address) {
  if (sigsetjmp(back, 1) != 0) return 1;
  *address = 1;
  return 0;
}

int main(void) {
  char *memory = map_pages(8, PROT_READ | PROT_WRITE, 0);
  need(signal(SIGSEGV, on_fault) != SIG_ERR);
  fill(memory, 8 * PAGE, 1);
  need(mprotect(memory, PAGE, PROT_NONE) == 0 && madvise(memory + 4 * PAGE, 2 * PAGE, MADV_GUARD_INSTALL) == 0);
  need(faults(memory) && faults(memory + 4 * PAGE) && faults(memory + 5 * PAGE));
  await_restore();
  check(faults(memory) && faults(memory + 4 * PAGE) && faults(memory + 6 * PAGE - 1));
  check(!faults(memory + PAGE) && !faults(memory + 4 * PAGE - 1) && !faults(memory + 6 * PAGE));
  check(madvise(memory + 4 * PAGE, 2 * PAGE, MADV_GUARD_REMOVE) == 0 && is_zero(memory + 4 * PAGE, 2 * PAGE));
  check(mprotect(memory, PAGE, PROT_READ | PROT_WRITE) == 0);
  memory[PAGE] = memory[4 * PAGE - 1] = memory[6 * PAGE] = 0;
  unsigned char expected[8 * PAGE];
  fill(expected, sizeof expected, 1);
  check(memcmp(memory, expected, PAGE) == 0 && memcmp(memory + PAGE + 1, expected + PAGE + 1, 3 * PAGE - 2) == 0);
  check(memcmp(memory + 6 * PAGE + 1, expected + 6 * PAGE + 1, 2 * PAGE - 1) == 0);
}
