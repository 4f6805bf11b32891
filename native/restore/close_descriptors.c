#include <linux/fcntl.h>
#include <linux/resource.h>

#include "descriptors.h"
#include "syscall.h"
#include "text.h"

#define ABOVE_LIMIT 16 /* the limit may have been lowered since ours were made */
#define MOST_TRIED 65536u

struct entry { /* linux_dirent64 */
  uint64_t inode;
  int64_t next;
  uint16_t size;
  uint8_t type;
  char name[];
};

/* Limits of 2³⁰ are usual, so not every number below can be tried. Not /proc/self: the watchdog has its own descriptors. */
static int close_listed(uint64_t first, uint64_t last) {
  char entries[2048] __attribute__((aligned(8)));
  long folder = call(openat, AT_FDCWD, "/proc/thread-self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC), size = 0;
  if (is_error(folder)) return 0;
  while ((size = call(getdents64, folder, entries, sizeof entries)) > 0) {
    for (long at = 0; at < size; at += ((struct entry *)(entries + at))->size) {
      const char *name = ((struct entry *)(entries + at))->name, *end = name;
      uint64_t fd = parse_number(&end, 10);
      if (end != name && fd >= first && fd <= last && fd != (uint64_t)folder) call(close, fd);
    }
  }
  call(close, folder);
  return size == 0;
}

void close_descriptors(uint32_t first, uint32_t last) {
  if (first > last || call(close_range, first, last, 0) == 0 || close_listed(first, last)) return;
  struct rlimit limit = {.rlim_cur = MOST_TRIED};
  call(prlimit64, 0, RLIMIT_NOFILE, 0, &limit);
  uint64_t end = limit.rlim_cur < MOST_TRIED ? limit.rlim_cur + ABOVE_LIMIT : MOST_TRIED;
  for (uint64_t fd = first; fd <= last && fd < end; fd++) call(close, fd);
}
