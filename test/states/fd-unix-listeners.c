/*
 * listening unix sockets: a path whose file was left behind, a relative path, an abstract name
 * restored: map
 * before restore: chmod 777 . && rm relative
 */
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "state.h"

static struct sockaddr_un address;
static socklen_t address_size;

static void name(const char *path, size_t length) {
  memset(&address, 0, sizeof address);
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, path, length);
  address_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

static int listen_at(int type, mode_t file_mode) {
  int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
  umask(~file_mode & 0777);
  need(fd >= 0 && bind(fd, (struct sockaddr *)&address, address_size) == 0 && listen(fd, 7) == 0);
  return fd;
}

static void check_accepts(int listener, int type) {
  struct sockaddr_un own;
  socklen_t own_size = sizeof own;
  int client = socket(AF_UNIX, type, 0);
  char byte;
  check(connect(client, (struct sockaddr *)&address, address_size) == 0);
  int server = accept(listener, NULL, NULL);
  check(server >= 0 && write(client, "x", 1) == 1 && read(server, &byte, 1) == 1 && byte == 'x');
  check(getsockname(listener, (struct sockaddr *)&own, &own_size) == 0);
  check(own_size == address_size && memcmp(&own, &address, own_size) == 0);
  check_equal(fcntl(listener, F_GETFD), FD_CLOEXEC);
}

int main(void) {
  char path[100];
  need(getcwd(path, 80) != NULL);
  strcat(path, "/absolute");
  name(path, strlen(path) + 1);
  int absolute = listen_at(SOCK_STREAM, 0622);
  name("relative", sizeof "relative");
  int relative = listen_at(SOCK_SEQPACKET, 0777);
  name("\0abstract name of a state", 25);
  int abstract = listen_at(SOCK_STREAM, 0777);
  umask(022);
  await_restore();

  check_accepts(abstract, SOCK_STREAM);
  name(path, strlen(path) + 1);
  check_accepts(absolute, SOCK_STREAM);
  struct stat status;
  check(stat(path, &status) == 0);
  check_equal(status.st_mode, S_IFSOCK | 0622);
  check_equal(status.st_uid, getuid());
  *strrchr(path, '/') = 0;
  check(chdir(path) == 0);
  name("relative", sizeof "relative");
  check_accepts(relative, SOCK_SEQPACKET);
  check_equal(umask(0), 022);
}
