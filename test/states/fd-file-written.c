/*
 * files that are written, which a policy allows: one is appended to, one is written at its place
 * restored: map
 * resource: 3 reopen
 * resource: 4 reopen
 * before restore: printf more >> log && chmod 666 log book
 */
#include "state.h"

int main(void) {
  char bytes[32];
  int log = open("log", O_WRONLY | O_CREAT | O_APPEND, 0666), book = open("book", O_RDWR | O_CREAT, 0666);
  need(log == 3 && book == 4 && write(log, "before ", 7) == 7 && write(book, "0123456789", 10) == 10);
  need(lseek(book, 4, SEEK_SET) == 4);
  await_restore();
  check_equal(fcntl(log, F_GETFL) & (O_ACCMODE | O_APPEND), O_WRONLY | O_APPEND);
  check(write(log, " after", 6) == 6 && write(book, "x", 1) == 1);
  int fd = open("log", O_RDONLY);
  check_equal(read(fd, bytes, sizeof bytes), 17);
  check(memcmp(bytes, "before more after", 17) == 0);
  check(pread(book, bytes, 10, 0) == 10 && memcmp(bytes, "0123x56789", 10) == 0);
}
