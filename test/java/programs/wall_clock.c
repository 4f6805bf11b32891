/* Preloaded, it moves the wall clock of a process by the nanoseconds that the file in WALL_CLOCK holds at that moment. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *offset;

__attribute__((constructor)) static void find_offset(void) {
  int file = open(getenv("WALL_CLOCK"), O_RDONLY | O_CLOEXEC);
  offset = mmap(NULL, sizeof *offset, PROT_READ, MAP_SHARED, file, 0);
  close(file);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
  long result = syscall(SYS_clock_gettime, clock, time);
  if (result == 0 && clock == CLOCK_REALTIME && offset) {
    int64_t ns = time->tv_nsec + *offset % 1000000000, carry = ns < 0 ? -1 : ns / 1000000000;
    time->tv_sec += *offset / 1000000000 + carry;
    time->tv_nsec = ns - carry * 1000000000;
  }
  return (int)result;
}
