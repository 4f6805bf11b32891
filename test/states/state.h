/*
 * For the programs of this folder: each sets one state, waits to be dumped and restored, and looks at the state again.
 * The restored process prints what differs and exits 1. test/native/states.test.ts runs them and reads their first
 * comment; README.md explains it.
 */
#ifndef STATE_H
#define STATE_H
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CANNOT_BE_SET 77
#define PAGE 4096ul

__attribute__((format(printf, 2, 3))) static inline void leave(int status, const char *form, ...) {
  va_list list;
  va_start(list, form);
  vprintf(form, list);
  va_end(list);
  putchar('\n');
  fflush(stdout);
  _exit(status);
}

/* Before the dump: where it does not hold the state cannot be set, and nothing would be tested. */
#define need(condition) \
  do { \
    if (!(condition)) leave(CANNOT_BE_SET, "%s:%d: %s: %s", __FILE__, __LINE__, #condition, strerror(errno)); \
  } while (0)

#define check(condition) \
  do { \
    if (!(condition)) leave(1, "%s:%d: not so after the restore: %s (errno: %s)", __FILE__, __LINE__, #condition, strerror(errno)); \
  } while (0)

#define check_equal(actual, expected) \
  do { \
    long long actual_ = (long long)(actual), expected_ = (long long)(expected); \
    if (actual_ != expected_) \
      leave(1, "%s:%d: %s is %lld (0x%llx), expected %lld (0x%llx)", __FILE__, __LINE__, #actual, actual_, actual_, expected_, expected_); \
  } while (0)

/* What the test itself holds open must not be part of the state. */
__attribute__((constructor)) static void close_foreign_descriptors(void) { syscall(SYS_close_range, 3u, ~0u, 0u); }

static inline void say_ready(void) {
  if (write(1, "ready\n", 6) != 6) _exit(CANNOT_BE_SET);
}

/* The byte comes only to the restored process. */
static inline void wait_for_restore(void) {
  char byte;
  ssize_t got;
  while ((got = read(0, &byte, 1)) < 0 && errno == EINTR) continue;
  if (got != 1) _exit(1);
}

static inline void await_restore(void) {
  say_ready();
  wait_for_restore();
}

static inline void sleep_ms(long ms) {
  struct timespec left = {ms / 1000, ms % 1000 * 1000000};
  while (nanosleep(&left, &left) != 0 && errno == EINTR) continue;
}

static inline int64_t now_ns(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec * 1000000000ll + now.tv_nsec;
}

static inline struct timespec timespec_of(int64_t ns) { return (struct timespec){ns / 1000000000, ns % 1000000000}; }

static inline pthread_t start_thread(void *(*run)(void *), void *argument) {
  pthread_t thread;
  need((errno = pthread_create(&thread, NULL, run, argument)) == 0);
  return thread;
}

/* What the thread returned; a thread that does not end makes the test run into its time limit. */
static inline void *result_of(pthread_t thread) {
  void *result;
  check((errno = pthread_join(thread, &result)) == 0);
  return result;
}

/* Until the thread is asleep in system call `number` (/proc/TID/syscall), so that it is dumped there. */
static inline void await_system_call(pid_t tid, long number) {
  char path[64], text[256];
  snprintf(path, sizeof path, "/proc/self/task/%d/syscall", tid);
  for (int tries = 0; tries < 5000; tries++) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0) close(fd);
    need(size >= 0);
    text[size] = 0;
    if (text[0] != 'r' && strtol(text, NULL, 10) == number) return;
    usleep(1000);
  }
  leave(CANNOT_BE_SET, "thread %d does not come to system call %ld", tid, number);
}

/* Value of a line such as "VmLck:" of a file under /proc; base as for strtoull. */
static inline unsigned long long read_number(const char *path, const char *name, int base) {
  char line[1024];
  FILE *file = fopen(path, "re");
  if (file == NULL) leave(1, "%s cannot be read: %s", path, strerror(errno));
  while (fgets(line, sizeof line, file) != NULL)
    if (strncmp(line, name, strlen(name)) == 0) {
      fclose(file);
      return strtoull(line + strlen(name), NULL, base);
    }
  leave(1, "%s has no line %s", path, name);
  return 0;
}

/* The line VmFlags of the area that holds `address`, "" when there is none. */
static inline const char *area_flags(const void *address) {
  static char line[4096];
  unsigned long start, end;
  int is_inside = 0;
  FILE *file = fopen("/proc/self/smaps", "re");
  if (file == NULL) leave(1, "smaps cannot be read: %s", strerror(errno));
  while (fgets(line, sizeof line, file) != NULL) {
    if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
      is_inside = (unsigned long)address >= start && (unsigned long)address < end;
    else if (is_inside && strncmp(line, "VmFlags:", 8) == 0) {
      fclose(file);
      return line + 8;
    }
  }
  fclose(file);
  return "";
}

static inline int has_area_flag(const void *address, const char *flag) {
  char wanted[8];
  snprintf(wanted, sizeof wanted, " %s ", flag);
  return strstr(area_flags(address), wanted) != NULL;
}

/* rwxp of the area, "" when nothing is mapped there. */
static inline const char *area_protection(const void *address) {
  static char protection[5];
  char line[1024];
  unsigned long start, end;
  FILE *file = fopen("/proc/self/maps", "re");
  if (file == NULL) leave(1, "maps cannot be read: %s", strerror(errno));
  protection[0] = 0;
  while (protection[0] == 0 && fgets(line, sizeof line, file) != NULL) {
    char found[5];
    if (sscanf(line, "%lx-%lx %4s", &start, &end, found) == 3 && (unsigned long)address >= start &&
        (unsigned long)address < end)
      strcpy(protection, found);
  }
  fclose(file);
  return protection;
}

static inline char *map_pages(size_t pages, int prot, int flags) {
  char *memory = mmap(NULL, pages * PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
  need(memory != MAP_FAILED);
  return memory;
}

/* Different bytes for each seed and place. */
static inline void fill(void *memory, size_t size, unsigned seed) {
  unsigned char *bytes = memory;
  for (size_t i = 0; i < size; i++) bytes[i] = (unsigned char)((i + 1) * 31 + (i >> 8) * 7 + seed * 131);
}

static inline int is_filled(const void *memory, size_t size, unsigned seed) {
  const unsigned char *bytes = memory;
  for (size_t i = 0; i < size; i++)
    if (bytes[i] != (unsigned char)((i + 1) * 31 + (i >> 8) * 7 + seed * 131)) return 0;
  return 1;
}

static inline int is_zero(const void *memory, size_t size) {
  const unsigned char *bytes = memory;
  for (size_t i = 0; i < size; i++)
    if (bytes[i] != 0) return 0;
  return 1;
}

/* A file in the current folder, which is the state's own. */
static inline void write_file(const char *name, const void *bytes, size_t size) {
  int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  need(fd >= 0 && write(fd, bytes, size) == (ssize_t)size && close(fd) == 0);
}
#endif
