#include "prefetch.h"

#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/uio.h>

#include "plan_file.h"
#include "syscall.h"

#define MEM_BIN 0xffffffffu
#define MAX_CUTS 24000u /* of vm.max_map_count, 65530 where nobody changed it */

/* Also where the file system cannot tell without waiting (-EOPNOTSUPP, as overlayfs): to ask for what is there costs little. */
static int is_cold(long fd, uint64_t offset) {
  char byte;
  struct iovec target = {&byte, 1};
  return call(preadv2, fd, &target, 1, offset, 0, RWF_NOWAIT) != 1;
}

void prefetch(void) {
  const struct crac_prefetch *wanted = plan_records(CRAC_PREFETCH), *end = wanted + plan_count(CRAC_PREFETCH);
  if (wanted == end || wanted->file != MEM_BIN) return;
  if (!is_cold(mem_fd, wanted->offset) && !is_cold(mem_fd, wanted->offset + wanted->length - 1)) return;
  const struct crac_file *files = plan_records(CRAC_FILES);
  uint32_t open_index = MEM_BIN;
  long fd = mem_fd;
  for (; wanted < end; wanted++) {
    if (wanted->file != open_index) {
      if (fd != mem_fd) call(close, fd);
      open_index = wanted->file;
      fd = open_index == MEM_BIN ? mem_fd : call(openat, AT_FDCWD, plan_blob(files[open_index].path_blob), O_RDONLY | O_CLOEXEC);
    }
    if (!is_error(fd)) call(readahead, fd, wanted->offset, wanted->length);
  }
  if (fd != mem_fd) call(close, fd);
}

static int is_mapped(const struct crac_mem *area) { return area->kind == CRAC_MEM_PAGES || area->kind == CRAC_MEM_FILE; }

void cut_mappings(void) {
  const struct crac_mem *areas = plan_records(CRAC_MEM), *end = areas + plan_count(CRAC_MEM);
  uint64_t bytes = 0, cut = plan->page_size;
  for (const struct crac_mem *area = areas; area < end; area++)
    if (is_mapped(area)) bytes += area->length;
  while (bytes / cut > MAX_CUTS) cut *= 2;
  /* Neighbours that differ in an attribute are not merged; this one only matters to core dumps. */
  for (const struct crac_mem *area = areas; area < end; area++)
    for (uint64_t at = 0; is_mapped(area) && at + cut < area->length; at += 2 * cut)
      call(madvise, area->address + at, cut, MADV_DONTDUMP);
}
