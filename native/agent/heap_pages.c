/*
 * Gives pages of the heap back to the kernel. In a JVM that was itself restored they are mapped from the checkpoint of
 * then: once dropped, they would be what they were in that, and go into the next one. There new memory takes their place.
 */
#define _GNU_SOURCE
#include "agent.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct range {
  uint64_t start, end;
};
/* Writable memory that is mapped from files, by address. */
static struct range *mapped;
static size_t mapped_count, mapped_size;

static void add(uint64_t start, uint64_t end) {
  if (mapped_count == mapped_size) {
    size_t size = mapped_size ? 2 * mapped_size : 256;
    struct range *larger = realloc(mapped, size * sizeof *larger);
    if (!larger)
      return; /* what is not known stays as it is */
    mapped = larger;
    mapped_size = size;
  }
  mapped[mapped_count++] = (struct range){start, end};
}

/* Digits of `base` up to `end`; moves behind that. */
static uint64_t read_number(const char **at, char end, unsigned base) {
  uint64_t number = 0;
  for (; **at && **at != end; ++*at)
    number = number * base + (unsigned)(**at <= '9' ? **at - '0' : **at - 'a' + 10);
  if (**at)
    ++*at;
  return number;
}

/* "START-END rw-p OFFSET MAJOR:MINOR INODE PATH" */
static void add_line(const char *line) {
  const char *at = line;
  uint64_t start = read_number(&at, '-', 16), end = read_number(&at, ' ', 16);
  bool is_writable = at[0] == 'r' && at[1] == 'w' && at[2] == '-' && at[3] == 'p';
  for (int words = 0; words < 3; words++)
    while (*at && *at++ != ' ')
      ;
  if (is_writable && read_number(&at, ' ', 10) != 0)
    add(start, end);
}

/* To be called while nobody changes the heap's mappings. */
void crac_find_mapped_pages(void) {
  char buffer[4096], line[128];
  size_t length = 0;
  mapped_count = 0;
  int maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  if (maps < 0)
    return;
  for (ssize_t got; (got = read(maps, buffer, sizeof buffer)) > 0;)
    for (ssize_t i = 0; i < got; i++) {
      if (buffer[i] != '\n') {
        if (length < sizeof line - 1) /* the path may be cut off */
          line[length++] = buffer[i];
        continue;
      }
      line[length] = 0;
      length = 0;
      add_line(line);
    }
  close(maps);
}

/* Whole pages. */
void crac_drop_pages(uint64_t from, uint64_t to) {
  madvise((void *)from, to - from, MADV_DONTNEED);
  size_t low = 0, high = mapped_count;
  while (low < high) { /* the first that ends behind `from` */
    size_t middle = (low + high) / 2;
    if (mapped[middle].end <= from)
      low = middle + 1;
    else
      high = middle;
  }
  for (; low < mapped_count && mapped[low].start < to; low++) {
    uint64_t start = mapped[low].start > from ? mapped[low].start : from, end = mapped[low].end < to ? mapped[low].end : to;
    mmap((void *)start, end - start, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  }
}
