/*
 * private memory of /dev/zero
 * refused: mapped file /dev/zero: it is a device. Map anonymous memory in place of /dev/zero, and no other device
 */
#include "state.h"

int main(void) {
  int fd = open("/dev/zero", O_RDWR);
  char *memory = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  need(memory != MAP_FAILED && close(fd) == 0);
  fill(memory, PAGE, 1);
  await_restore();
  check(is_filled(memory, PAGE, 1) && is_zero(memory + PAGE, 3 * PAGE));
}
