#include "plan_file.h"

#include <asm/stat.h>
#include <linux/fcntl.h>
#include <linux/mman.h>

#include "cold.h"
#include "crc.h"
#include "plan_check.h"
#include "syscall.h"
#include "text.h"

struct crac_header *plan;
long mem_fd;

static const uint32_t record_sizes[CRAC_SECTIONS] = {
    [CRAC_MEM] = sizeof(struct crac_mem),       [CRAC_FILES] = sizeof(struct crac_file),
    [CRAC_THREADS] = sizeof(struct crac_thread), [CRAC_SIGACT] = sizeof(struct crac_sigact),
    [CRAC_FDS] = sizeof(struct crac_fd),        [CRAC_EPOLL] = sizeof(struct crac_epoll),
    [CRAC_TIMES] = sizeof(struct crac_time),    [CRAC_TIDFIX] = sizeof(struct crac_tidfix),
    [CRAC_VDSO] = sizeof(struct crac_vdso_symbol), [CRAC_CPU] = sizeof(struct crac_cpu),
    [CRAC_PREFETCH] = sizeof(struct crac_prefetch), [CRAC_SOCKETS] = sizeof(struct crac_socket),
    [CRAC_SOCKOPTS] = sizeof(struct crac_sockopt), [CRAC_BLOB] = 1,
};

static long open_part(const char *dir, const char *name, uint64_t *size) {
  char path[4096];
  format(path, sizeof path, "%s/%s", dir, name);
  long fd = call(openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  if (is_error(fd)) give_up("%s: %e", path, fd);
  struct stat status;
  long error = call(fstat, fd, &status);
  if (error != 0) give_up("%s: %e", path, error);
  *size = (uint64_t)status.st_size;
  return fd;
}

static void check_header(const struct crac_header *header, long bytes, uint64_t file_size) {
  if (bytes < 16 || header->magic != CRAC_PLAN_MAGIC) give_up("plan.bin is not a restore plan");
  if (header->version != CRAC_PLAN_VERSION)
    give_up("plan.bin has version %u, this restorer needs %u", (uint64_t)header->version, (uint64_t)CRAC_PLAN_VERSION);
  if (header->header_size != sizeof *header) give_up("plan.bin has a header of another size");
  if (bytes != sizeof *header) give_up("plan.bin is truncated");
  if (header->arch != MACHINE_PLAN_ARCH) give_up("plan.bin is for another architecture (%u)", (uint64_t)header->arch);
  if (header->page_size != MACHINE_PAGE_SIZE) give_up("plan.bin is for pages of %u bytes", (uint64_t)header->page_size);
  if (header->file_size > file_size) give_up("plan.bin is truncated");
  if (header->file_size != file_size) give_up("plan.bin has a wrong size");
  uint64_t end = sizeof *header; /* of what came before */
  for (unsigned i = 0; i < CRAC_SECTIONS; i++) {
    const struct crac_section *section = &header->sections[i];
    int is_in_order = section->offset >= end && section->offset % 64 == 0;
    end = section->offset + (uint64_t)section->count * section->record_size;
    if (section->record_size != record_sizes[i] || !is_in_order || end > file_size)
      give_up("plan.bin is damaged (section %u)", (uint64_t)i);
  }
}

static void check_range(const struct crac_header *header, uint64_t file_size) {
  extern const char __executable_start[], _end[];
  if (header->restorer_start > (uint64_t)__executable_start || header->restorer_end < (uint64_t)_end ||
      header->restorer_start != CRAC_RESTORER_BASE || header->restorer_end != CRAC_RESTORER_END)
    give_up("plan.bin was made for a restorer at another address");
  if (header->map_address < CRAC_PLAN_BASE || header->map_address + file_size > CRAC_RESTORER_END ||
      header->map_address % MACHINE_PAGE_SIZE != 0)
    give_up("plan.bin does not fit where it is to be mapped");
}

void open_plan(const char *dir) {
  uint64_t plan_size, mem_size;
  struct crac_header header;
  long fd = open_part(dir, "plan.bin", &plan_size);
  check_header(&header, call(pread64, fd, &header, sizeof header, 0), plan_size);
  check_range(&header, plan_size);
  mem_fd = open_part(dir, "mem.bin", &mem_size);
  if (mem_size != header.mem_size)
    give_up("mem.bin has %u bytes, the plan was made for %u", mem_size, header.mem_size);
  long mapped = call(mmap, header.map_address, plan_size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_FIXED_NOREPLACE, fd, 0);
  if (mapped != (long)header.map_address) give_up("plan.bin cannot be mapped: %e", is_error(mapped) ? mapped : -17L);
  call(close, fd);
  plan = (struct crac_header *)mapped;
  uint32_t expected = plan->crc32;
  plan->crc32 = 0;
  if (compute_crc32(plan, plan_size) != expected) give_up("plan.bin is damaged (checksum)");
  check_plan_records();
}
