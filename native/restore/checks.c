#include "checks.h"

#include <asm/stat.h>
#include <linux/fcntl.h>

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

void check_memory_layout(void) {
  const struct crac_mem *areas = plan_records(CRAC_MEM);
  for (uint32_t i = 0; i < plan_count(CRAC_MEM); i++)
    if (areas[i].address < CRAC_RESTORER_END && areas[i].address + areas[i].length > CRAC_RESTORER_BASE)
      give_up("plan.bin wants memory at %x, where the restorer lies", areas[i].address);
}
