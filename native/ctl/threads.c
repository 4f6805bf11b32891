#define _GNU_SOURCE
#include "threads.h"

#include <dirent.h>
#include <linux/kcmp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PROCESSORS 8192

static int is_apart(long pid, long tid, int kind) { return syscall(SYS_kcmp, pid, tid, kind, 0, 0) > 0; }

static int is_bound(long tid) {
  unsigned char own[PROCESSORS / 8] = {0}, its[PROCESSORS / 8] = {0};
  if (sched_getaffinity(0, sizeof own, (cpu_set_t *)own) || sched_getaffinity((pid_t)tid, sizeof its, (cpu_set_t *)its)) return 0;
  return memcmp(own, its, sizeof own) != 0;
}

int print_thread_facts(long pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%ld/task", pid);
  DIR *folder = opendir(path);
  if (!folder) return -1;
  for (struct dirent *entry; (entry = readdir(folder));) {
    long tid = strtol(entry->d_name, NULL, 10);
    if (tid == 0) continue;
    if (is_apart(pid, tid, KCMP_FILES)) printf("thread %ld descriptors\n", tid);
    if (is_apart(pid, tid, KCMP_FS)) printf("thread %ld folder\n", tid);
    if (is_bound(tid)) printf("thread %ld processors\n", tid);
  }
  closedir(folder);
  return 0;
}
