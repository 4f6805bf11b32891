#include "touched.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * Documentation/admin-guide/mm/pagemap.rst: a 64-bit word a page; only frame numbers need privileges. A page of private memory
 * that is not the file's is the process's own.
 */
#define PRESENT (1ULL << 63)
#define OF_FILE (1ULL << 61)
#define MAPPED_ONCE (1ULL << 56) /* which the page of zeros, that is read before anything was written, is not */
#define WORDS 1024

struct area {
  unsigned long start, end, offset;
  bool is_own; /* private and writable */
  char path[4096]; /* "" where it is of no file */
};

/* Paths that JSON would have to escape are no paths of images that we build. */
static bool parse_area(const char *line, struct area *area) {
  char access[5];
  area->path[0] = 0;
  if (sscanf(line, "%lx-%lx %4s %lx %*s %*s %4095[^\n]", &area->start, &area->end, access, &area->offset, area->path) < 4)
    return false;
  area->is_own = access[1] == 'w' && access[3] == 'p';
  if (area->path[0] != '/' || strpbrk(area->path, "\"\\"))
    area->path[0] = 0;
  return true;
}

/*
 * Prints the runs of pages of which `mask` of the pagemap's word is `value`, as [FROM,LENGTH], where the area's first byte is
 * at `from`. `before`: what precedes the first of them. False: there was none.
 */
static bool print_runs(int pagemap, const struct area *area, uint64_t mask, uint64_t value, unsigned long from, const char *before) {
  unsigned long page = (unsigned long)sysconf(_SC_PAGESIZE), count = (area->end - area->start) / page, run = 0;
  uint64_t words[WORDS];
  bool is_first = true;
  for (unsigned long at = 0; at <= count; at++) {
    if (at % WORDS == 0) {
      memset(words, 0, sizeof words);
      size_t wanted = (count - at < WORDS ? count - at : WORDS) * sizeof *words;
      if (pread(pagemap, words, wanted, (off_t)((area->start / page + at) * sizeof *words)) < 0)
        memset(words, 0, sizeof words);
    }
    if (at < count && (words[at % WORDS] & mask) == value) {
      run++;
      continue;
    }
    if (run > 0)
      printf("%s[%lu,%lu]", is_first ? before : ",", from + (at - run) * page, run * page);
    is_first = is_first && run == 0;
    run = 0;
  }
  return !is_first;
}

static bool print_touched_file(int pagemap, const struct area *area, bool is_first) {
  char before[sizeof area->path + 32];
  if (!area->path[0])
    return false;
  snprintf(before, sizeof before, "%s{\"path\":\"%s\",\"runs\":[", is_first ? "" : ",", area->path);
  bool has_run = print_runs(pagemap, area, PRESENT, PRESENT, area->offset, before);
  if (has_run)
    fputs("]}", stdout);
  return has_run;
}

static bool print_written(int pagemap, const struct area *area, bool is_first) {
  return area->is_own && print_runs(pagemap, area, PRESENT | OF_FILE | MAPPED_ONCE, PRESENT | MAPPED_ONCE, area->start, is_first ? "" : ",");
}

static void print_list(FILE *maps, int pagemap, bool (*print)(int, const struct area *, bool)) {
  char line[8192];
  struct area area;
  bool is_first = true;
  rewind(maps);
  while (fgets(line, sizeof line, maps))
    if (parse_area(line, &area) && print(pagemap, &area, is_first))
      is_first = false;
}

int print_touched(long pid) {
  char name[64];
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
  fputs("{\"touched\":[", stdout);
  print_list(maps, pagemap, print_touched_file);
  fputs("],\"written\":[", stdout);
  print_list(maps, pagemap, print_written);
  puts("]}");
  fclose(maps);
  close(pagemap);
  return 0;
}
