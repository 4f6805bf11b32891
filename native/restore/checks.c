#include "checks.h"

#include <asm/stat.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mman.h>

#include "cold.h"
#include "plan_file.h"
#include "syscall.h"

void check_files(void) {
  const struct crac_file *files = plan_records(CRAC_FILES);
  for (uint32_t i = 0; i < plan_count(CRAC_FILES); i++) {
    const char *path = plan_blob(files[i].path_blob);
    struct stat status;
    long error = call(newfstatat, AT_FDCWD, path, &status, 0);
    if (error != 0) give_up("%s: %e", path, error);
    if ((uint64_t)status.st_size != files[i].size)
      give_up("%s has changed: %u bytes, %u at the checkpoint", path, (uint64_t)status.st_size, files[i].size);
    if ((int64_t)status.st_mtime != files[i].mtime_s) give_up("%s has changed: another modification time", path);
  }
}

static uint64_t highest_address(void) {
  const struct crac_mem *areas = plan_records(CRAC_MEM);
  uint64_t highest = plan->vdso_start + plan->vdso_size;
  for (uint32_t i = 0; i < plan_count(CRAC_MEM); i++)
    if (areas[i].address + areas[i].length > highest) highest = areas[i].address + areas[i].length;
  return highest;
}

/* -EEXIST: something of ours is there, so it exists. Kernels before 4.17 map elsewhere then. */
void check_address_space(void) {
  uint64_t last_page = highest_address() - MACHINE_PAGE_SIZE;
  long mapped = call(mmap, last_page, MACHINE_PAGE_SIZE, PROT_NONE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
  if (mapped == -EEXIST) return;
  if (is_error(mapped)) give_up("memory at %x is needed, and this kernel does not give it: %e", last_page, mapped);
  call(munmap, mapped, MACHINE_PAGE_SIZE);
}
