/*
 * whiteouts DIR
 *
 * Turns the whiteouts of an unpacked image layer into those of overlayfs: `.wh.NAME` becomes a character device 0/0
 * called NAME, `.wh..wh..opq` the attribute trusted.overlay.opaque on its folder. Folders keep their times.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#whiteouts
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "die.h"

static void convert(int dir, const char *name) {
  if (unlinkat(dir, name, 0)) die_with_error("removing %s", name);
  if (!strcmp(name, ".wh..wh..opq")) {
    if (fsetxattr(dir, "trusted.overlay.opaque", "y", 1, 0)) die_with_error("marking a folder opaque");
  } else if (strncmp(name, ".wh..wh.", 8)) { /* other .wh..wh. names are bookkeeping of AUFS */
    if (mknodat(dir, name + 4, S_IFCHR, makedev(0, 0))) die_with_error("whiteout %s", name + 4);
  }
}

static void walk(int dir) {
  struct stat before, entry_stat;
  if (fstat(dir, &before)) die_with_error("stat");
  DIR *entries = fdopendir(dup(dir));
  if (!entries) die_with_error("opendir");
  int changed = 0;
  for (struct dirent *entry; (entry = readdir(entries));) {
    const char *name = entry->d_name;
    if (!strcmp(name, ".") || !strcmp(name, "..")) continue;
    if (!strncmp(name, ".wh.", 4)) {
      convert(dir, name);
      changed = 1;
    } else if (!fstatat(dir, name, &entry_stat, AT_SYMLINK_NOFOLLOW) && S_ISDIR(entry_stat.st_mode)) {
      int child = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
      if (child < 0) die_with_error("opening %s", name);
      walk(child);
      close(child);
    }
  }
  closedir(entries);
  if (changed) futimens(dir, (struct timespec[2]){before.st_atim, before.st_mtim});
}

int main(int argc, char **argv) {
  if (argc != 2) die("usage: whiteouts DIR");
  int dir = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (dir < 0) die_with_error("%s", argv[1]);
  walk(dir);
  return 0;
}
