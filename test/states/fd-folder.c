/*
 * folders: what is opened below them, and how far their entries were read
 * restored: map
 */
#include <dirent.h>
#include <sys/stat.h>

#include "state.h"

int main(void) {
  char byte;
  need(mkdir("folder", 0755) == 0);
  write_file("folder/file", "x", 1);
  int folder = open("folder", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *entries = opendir("folder");
  need(folder >= 0 && entries != NULL);
  while (readdir(entries) != NULL) continue;
  await_restore();
  check_equal(fcntl(folder, F_GETFD), FD_CLOEXEC);
  int fd = openat(folder, "file", O_RDONLY);
  check(fd >= 0 && read(fd, &byte, 1) == 1 && byte == 'x');
  check(readdir(entries) == NULL);
}
