#include "memory.h"

#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/resource.h>
#include <linux/uio.h>

#include "cold.h"
#include "phases.h"
#include "plan_file.h"
#include "syscall.h"
#include "text.h"

#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE 0x08
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14; where it is not known the app has its page faults */
#endif
#define NO_FILE 0xffffffffu
#define MAX_PIECES UIO_MAXIOV

/* A library's areas follow each other, so one open file is enough. */
static long open_mapped_file(uint32_t index) {
  static uint32_t open_index = NO_FILE;
  static long fd = -1;
  if (index == open_index) return fd;
  if (fd >= 0) call(close, fd);
  open_index = index;
  if (index == NO_FILE) return fd = -1;
  const struct crac_file *file = (const struct crac_file *)plan_records(CRAC_FILES) + index;
  uint32_t flags = (file->open_flags & ~(O_CREAT | O_EXCL | O_TRUNC)) | O_CLOEXEC;
  fd = call(openat, AT_FDCWD, plan_blob(file->path_blob), flags);
  if (is_error(fd)) give_up("%s: %e", plan_blob(file->path_blob), fd);
  return fd;
}

/* 0: not known. */
static uint64_t most_mappings(void) {
  static char text[32];
  const char *at = text;
  return read_file("/proc/sys/vm/max_map_count", text, sizeof text) > 0 ? parse_number(&at, 10) : 0;
}

static _Noreturn void give_up_mapping(const struct crac_mem *area, long error) {
  struct rlimit limit;
  if (error == -ENOMEM && call(prlimit64, 0, RLIMIT_AS, 0, &limit) == 0 && limit.rlim_cur != RLIM64_INFINITY)
    give_up("memory at %x (%u KiB) cannot be mapped: the limit of address space is %u KiB (RLIMIT_AS, ulimit -v)",
            area->address, area->length / 1024, (uint64_t)limit.rlim_cur / 1024);
  if (error == -ENOMEM && call(prlimit64, 0, RLIMIT_DATA, 0, &limit) == 0 && limit.rlim_cur != RLIM64_INFINITY)
    give_up("memory at %x (%u KiB) cannot be mapped: the limit of data is %u KiB (RLIMIT_DATA, ulimit -d)", area->address,
            area->length / 1024, (uint64_t)limit.rlim_cur / 1024);
  uint64_t most = error == -ENOMEM ? most_mappings() : 0;
  if (most != 0 && plan_count(CRAC_MEM) >= most / 2)
    give_up("memory at %x (%u KiB) cannot be mapped: a process may have %u mappings here (sysctl vm.max_map_count)",
            area->address, area->length / 1024, most);
  give_up("memory at %x (%u KiB) cannot be mapped: %e", area->address, area->length / 1024, error);
}

static void map(const struct crac_mem *area, uint32_t flags, long fd) {
  if ((flags & MAP_TYPE) == 0) flags |= MAP_PRIVATE;
  long mapped = call(mmap, area->address, area->length, area->prot, flags | MAP_FIXED, fd, area->offset);
  /* Kernels before 6.11: their vdso has no getrandom either, so the state that is kept there is not used. */
  if (mapped == -EINVAL && (flags & MAP_TYPE) == MAP_DROPPABLE)
    mapped = call(mmap, area->address, area->length, area->prot, (flags & ~MAP_TYPE) | MAP_PRIVATE | MAP_FIXED, fd, 0);
  if (is_error(mapped)) give_up_mapping(area, mapped);
}

/* READ records that follow each other in mem.bin are read with one call. Returns the first that is not read. */
static const struct crac_mem *read_pages(const struct crac_mem *area, const struct crac_mem *end) {
  static struct iovec pieces[MAX_PIECES];
  for (uint64_t done = 0; area < end && area->kind == CRAC_MEM_READ;) { /* done: of `area` */
    uint64_t offset = area->offset + done, next = offset;
    const struct crac_mem *last = area;
    unsigned count = 0;
    for (; last < end && last->kind == CRAC_MEM_READ && count < MAX_PIECES; last++, count++) {
      uint64_t skipped = last == area ? done : 0;
      if (last->offset + skipped != next) break;
      pieces[count] = (struct iovec){(void *)(last->address + skipped), last->length - skipped};
      next += pieces[count].iov_len;
    }
    long got = call(preadv, mem_fd, pieces, count, offset, 0);
    if (got == -EINTR) continue;
    if (got == 0) give_up("mem.bin is truncated");
    if (is_error(got)) give_up("mem.bin cannot be read: %e", got);
    for (done += (uint64_t)got; area < last && done >= area->length; area++) done -= area->length;
  }
  return area;
}

static void change(const struct crac_mem *area) {
  long error;
  switch (area->kind) {
    case CRAC_MEM_ANON: map(area, area->flags | MAP_ANONYMOUS, -1); break;
    case CRAC_MEM_FILE: map(area, area->flags, open_mapped_file(area->file)); break;
    case CRAC_MEM_PAGES: map(area, area->flags, mem_fd); break;
    case CRAC_MEM_ADVISE: call(madvise, area->address, area->length, area->flags); break;
    case CRAC_MEM_PROTECT:
      error = call(mprotect, area->address, area->length, area->prot);
      if (error != 0) give_up("memory at %x cannot be protected: %e", area->address, error);
      break;
    case CRAC_MEM_LATER: break;
    default: give_up("plan.bin has an unknown kind of memory (%u)", (uint64_t)area->kind);
  }
}

static int is_populated(const struct crac_mem *area) {
  return area->kind == CRAC_MEM_ADVISE && area->flags == MADV_POPULATE_WRITE;
}

void map_memory(void) {
  const struct crac_mem *area = plan_records(CRAC_MEM), *end = area + plan_count(CRAC_MEM);
  int is_mapped = 0;
  while (area < end) {
    if (!is_mapped && is_populated(area)) {
      is_mapped = 1;
      begin_phase("pages");
    }
    if (area->kind == CRAC_MEM_READ) area = read_pages(area, end);
    else change(area++);
  }
  open_mapped_file(NO_FILE);
}
