/*
 * started without randomized addresses, as under a debugger
 * restored: map
 */
#include <sys/personality.h>

#include "state.h"

int main(int argc, char **argv) {
  if (argc == 1) {
    need(personality(ADDR_NO_RANDOMIZE) != -1);
    execl("/proc/self/exe", argv[0], "again", NULL);
  }
  char *memory = map_pages(1, PROT_READ | PROT_WRITE, 0);
  fill(memory, PAGE, 1);
  await_restore();
  check(is_filled(memory, PAGE, 1));
}
