#define _GNU_SOURCE
#include "rss.h"
#include <stdio.h>

static int64_t rss_bytes(pid_t pid) {
  char path[64], line[256];
  long kib = 0;
  snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
  FILE *file = fopen(path, "re");
  if (!file) return 0;
  while (fgets(line, sizeof line, file))
    if (sscanf(line, "Rss: %ld kB", &kib) == 1) break;
  fclose(file);
  return kib * 1024LL;
}

/* CRIU and runtimes fork from their main thread. */
int64_t largest_rss_bytes(pid_t pid) {
  char path[64];
  int child;
  int64_t largest = rss_bytes(pid);
  snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
  FILE *file = fopen(path, "re");
  if (!file) return largest;
  while (fscanf(file, "%d", &child) == 1) {
    int64_t size = largest_rss_bytes(child);
    if (size > largest) largest = size;
  }
  fclose(file);
  return largest;
}
