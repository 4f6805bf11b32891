#include "touched.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Documentation/admin-guide/mm/pagemap.rst: a 64-bit word a page; only frame numbers need privileges. */
#define PRESENT (1ULL << 63)

struct area {
  unsigned long start, end, offset;
  char path[4096];
};

/* Paths that JSON would have to escape are no paths of images that we build. */
static bool parse_area(const char *line, struct area *area) {
  return sscanf(line, "%lx-%lx %*s %lx %*s %*s %4095[^\n]", &area->start, &area->end, &area->offset, area->path) == 4 &&
         area->path[0] == '/' && !strpbrk(area->path, "\"\\");
}

static bool is_present(int pagemap, unsigned long page_number) {
  uint64_t word;
  return pread(pagemap, &word, sizeof word, (off_t)(page_number * sizeof word)) == sizeof word && word & PRESENT;
}

static bool print_area(int pagemap, const struct area *area, bool is_first) {
  unsigned long page = (unsigned long)sysconf(_SC_PAGESIZE), start = 0; /* of the run that is being counted */
  bool has_run = false;
  for (unsigned long at = area->start; at <= area->end; at += page) {
    bool is_touched = at < area->end && is_present(pagemap, at / page);
    if (is_touched && !start)
      start = at;
    if (is_touched || !start)
      continue;
    if (has_run)
      putchar(',');
    else
      printf("%s{\"path\":\"%s\",\"runs\":[", is_first ? "" : ",", area->path);
    has_run = true;
    printf("[%lu,%lu]", start - area->start + area->offset, at - start);
    start = 0;
  }
  if (has_run)
    fputs("]}", stdout);
  return has_run;
}

int print_touched(long pid) {
  char name[64], line[8192];
  snprintf(name, sizeof name, "/proc/%ld/pagemap", pid);
  int pagemap = open(name, O_RDONLY | O_CLOEXEC);
  if (pagemap < 0)
    return -1;
  snprintf(name, sizeof name, "/proc/%ld/maps", pid);
  FILE *maps = fopen(name, "re");
  if (!maps) {
    close(pagemap);
    return -1;
  }
  struct area area;
  bool is_first = true;
  fputs("{\"touched\":[", stdout);
  while (fgets(line, sizeof line, maps))
    if (parse_area(line, &area) && print_area(pagemap, &area, is_first))
      is_first = false;
  puts("]}");
  fclose(maps);
  close(pagemap);
  return 0;
}
