/*
 * files that are read: positions, one shared by copies, flags
 * restored: map
 */
#include "state.h"

int main(void) {
  char byte;
  write_file("letters", "abcdefghij", 10);
  int first = open("letters", O_RDONLY | O_CLOEXEC), copy = dup(first), second = open("letters", O_RDONLY);
  need(first >= 0 && copy >= 0 && second >= 0);
  need(lseek(first, 3, SEEK_SET) == 3 && lseek(second, 99, SEEK_SET) == 99);
  await_restore();
  check_equal(fcntl(first, F_GETFD), FD_CLOEXEC);
  check_equal(fcntl(copy, F_GETFD), 0);
  check(read(copy, &byte, 1) == 1 && byte == 'd');
  check(read(first, &byte, 1) == 1 && byte == 'e');
  check_equal(lseek(second, 0, SEEK_CUR), 99);
  check_equal(read(second, &byte, 1), 0);
}
