/* How much memory the process has that goes into a dump: what is anonymous, or was written of a private mapping. */
#define _GNU_SOURCE
#include "agent.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* From the kernel's page tables: its counters (statm) lag behind on machines with many processors. 0: it does not tell. */
uint64_t crac_resident_bytes(void) {
  char text[4096];
  int fd = open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
  ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (fd >= 0)
    close(fd);
  text[length > 0 ? length : 0] = 0;
  const char *line = strstr(text, "\nAnonymous:");
  return line ? strtoull(line + strlen("\nAnonymous:"), NULL, 10) * 1024 : 0;
}
