#include <asm/stat.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

#include "cold.h"
#include "make_descriptor.h"
#include "plan_file.h"
#include "syscall.h"

long open_file(const struct crac_fd *wanted) {
  const char *path = plan_blob(wanted->path_blob);
  long fd = call(openat, AT_FDCWD, path, (wanted->flags & ~(O_EXCL | O_TRUNC)) | O_NOCTTY, wanted->c);
  if (is_error(fd)) give_up("%s: %e", path, fd);
  struct stat status;
  long error = call(fstat, fd, &status);
  if (error != 0) give_up("%s: %e", path, error);
  uint64_t size = (uint64_t)status.st_size, position = wanted->a;
  int mode = wanted->flags & O_ACCMODE;
  if (S_ISREG(status.st_mode) && ((mode == O_RDONLY && size != wanted->b && wanted->b != CRAC_ANY_SIZE) || (mode == O_RDWR && size < wanted->b)))
    give_up("%s has changed: %u bytes, %u at the checkpoint", path, size, wanted->b);
  /* another file than that of the build, or a new one: what is written does not begin after a hole */
  if (S_ISREG(status.st_mode) && position <= wanted->b && position > size) position = size;
  if (position != 0 && is_error(call(lseek, fd, position, 0))) give_up("%s cannot be positioned", path);
  return fd;
}
