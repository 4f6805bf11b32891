#include <asm/stat.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

#include "cold.h"
#include "make_descriptor.h"
#include "plan_file.h"
#include "syscall.h"
#include "text.h"

/* A volume or tmpfs of the new container may hide the folders that the app had made. */
static void make_parents(const char *path) {
  static char parent[4096];
  size_t length = strlen(path);
  if (length >= sizeof parent) return;
  memcpy(parent, path, length + 1);
  for (char *at = parent + 1; *at != 0; at++) {
    if (*at != '/') continue;
    *at = 0;
    call(mkdirat, AT_FDCWD, parent, 0777);
    *at = '/';
  }
}

long open_file(const struct crac_fd *wanted) {
  const char *path = plan_blob(wanted->path_blob);
  int flags = (wanted->flags & ~(O_EXCL | O_TRUNC)) | O_NOCTTY;
  long fd = call(openat, AT_FDCWD, path, flags, wanted->c);
  if (fd == -ENOENT && flags & O_CREAT) {
    make_parents(path);
    fd = call(openat, AT_FDCWD, path, flags, wanted->c);
  }
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
