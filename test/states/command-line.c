/*
 * what ps and the C library see: arguments, environment, auxiliary vector, end of the heap
 * restored: map
 */
#include <sys/auxv.h>

#include "state.h"

static size_t read_all(const char *path, char *bytes, size_t size) {
  int fd = open(path, O_RDONLY);
  ssize_t got = fd < 0 ? -1 : read(fd, bytes, size);
  if (fd >= 0) close(fd);
  return got < 0 ? 0 : (size_t)got;
}

int main(void) {
  static char line[4096], line_after[4096], vector[4096], vector_after[4096];
  size_t line_size = read_all("/proc/self/cmdline", line, sizeof line);
  size_t vector_size = read_all("/proc/self/auxv", vector, sizeof vector);
  unsigned long entry = getauxval(AT_ENTRY), random = getauxval(AT_RANDOM);
  need(line_size > 0 && vector_size > 0);
  await_restore();
  check_equal(read_all("/proc/self/cmdline", line_after, sizeof line_after), line_size);
  check(memcmp(line, line_after, line_size) == 0);
  check_equal(read_all("/proc/self/auxv", vector_after, sizeof vector_after), vector_size);
  check(memcmp(vector, vector_after, vector_size) == 0);
  check(getauxval(AT_ENTRY) == entry && getauxval(AT_RANDOM) == random);
}
