/* A program whose malloc is another library's: memory that it gives back to the kernel must come back as zeros. */
#ifndef ALLOCATOR_H
#define ALLOCATOR_H
#include <dlfcn.h>

#include "state.h"

#define LARGE (6ul << 20)
#define LARGE_BLOCKS 8
#define SMALL 1000
#define SMALL_BLOCKS 20000

/* mallctl of jemalloc, and so on: has everything that is free given back at once. */
static void purge(void) {
  int (*mallctl)(const char *, void *, size_t *, void *, size_t) = dlsym(RTLD_DEFAULT, "mallctl");
  void (*mi_collect)(_Bool) = dlsym(RTLD_DEFAULT, "mi_collect");
  void (*release)(void) = dlsym(RTLD_DEFAULT, "MallocExtension_ReleaseFreeMemory");
  need(mallctl != NULL || mi_collect != NULL || release != NULL);
  if (mallctl != NULL) mallctl("arena.4096.purge", NULL, NULL, NULL, 0); /* 4096: all arenas */
  if (mi_collect != NULL) mi_collect(1);
  if (release != NULL) release();
}

static void fill_blocks(char **blocks, int count, size_t size) {
  for (int i = 0; i < count; i++) {
    need((blocks[i] = malloc(size)) != NULL);
    fill(blocks[i], size, (unsigned)i);
  }
}

/* What allocators do; not by name, so that this program is no reason to read its memory. */
static void check_given_back(char *block, size_t size) {
  char *first_page = (char *)(((uintptr_t)block + PAGE - 1) & ~(PAGE - 1));
  size_t pages = (size_t)(block + size - first_page) / PAGE;
  check(syscall(SYS_madvise, first_page, pages * PAGE, MADV_DONTNEED) == 0);
  check(is_zero(first_page, pages * PAGE));
}

static void check_blocks(char **blocks, int count, size_t size) {
  for (int i = 0; i < count; i++) {
    check(is_filled(blocks[i], size, (unsigned)i));
    free(blocks[i]);
  }
  purge();
  for (int i = 0; i < count; i++) {
    check((blocks[i] = calloc(1, size)) != NULL);
    check(is_zero(blocks[i], size));
    fill(blocks[i], size, (unsigned)i);
  }
}

static int run_with(const char *library, char **argv) {
  if (getenv("LD_PRELOAD") == NULL) {
    setenv("LD_PRELOAD", library, 1);
    execv("/proc/self/exe", argv);
  }
  static char *large[LARGE_BLOCKS], *small[SMALL_BLOCKS];
  fill_blocks(large, LARGE_BLOCKS, LARGE);
  fill_blocks(small, SMALL_BLOCKS, SMALL);
  purge();
  char *given_back = malloc(LARGE);
  need(given_back != NULL);
  fill(given_back, LARGE, 1);
  await_restore();
  check_given_back(given_back, LARGE);
  check_blocks(large, LARGE_BLOCKS, LARGE);
  check_blocks(small, SMALL_BLOCKS, SMALL);
  check_blocks(large, LARGE_BLOCKS, LARGE);
  check_blocks(small, SMALL_BLOCKS, SMALL);
  return 0;
}
#endif
