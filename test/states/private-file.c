/*
 * a file mapped MAP_PRIVATE: written, zeroed and clean pages, the end of the file within a page and pages beyond it
 * restored: map, read
 */
#include <setjmp.h>
#include <signal.h>

#include "state.h"

static sigjmp_buf back;

static void on_fault(int number) { siglongjmp(back, number); }

static int faults(volatile char *address) {
  if (sigsetjmp(back, 1) != 0) return 1;
  return *address == 77 ? 0 : 0;
}

int main(void) {
  char bytes[5 * PAGE];
  fill(bytes, sizeof bytes, 3);
  write_file("mapped", bytes, sizeof bytes - 1000);
  int fd = open("mapped", O_RDONLY);
  char *memory = mmap(NULL, 6 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, PAGE);
  need(memory != MAP_FAILED && close(fd) == 0 && signal(SIGBUS, on_fault) != SIG_ERR);
  fill(memory, PAGE, 4);                 /* 0: written, 1: clean, 2: zeroed, 3: written after the end of the file */
  memset(memory + 2 * PAGE, 0, PAGE);
  memory[4 * PAGE - 1] = 'x';
  need(faults(memory + 4 * PAGE));       /* wholly beyond it */
  await_restore();
  check(is_filled(memory, PAGE, 4));
  check(memcmp(memory + PAGE, bytes + 2 * PAGE, PAGE) == 0);
  check(is_zero(memory + 2 * PAGE, PAGE));
  check(memcmp(memory + 3 * PAGE, bytes + 4 * PAGE, PAGE - 1000) == 0);
  check(is_zero(memory + 4 * PAGE - 1000, 999) && memory[4 * PAGE - 1] == 'x');
  check(faults(memory + 4 * PAGE) && faults(memory + 6 * PAGE - 1));
  memory[PAGE] ^= 1;
  check(memory[PAGE] == (bytes[2 * PAGE] ^ 1));
}
