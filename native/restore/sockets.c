#include <asm/stat.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

#include "cold.h"
#include "make_descriptor.h"
#include "plan_file.h"
#include "syscall.h"

#define AF_UNIX 1
#define SOCK_NONBLOCK O_NONBLOCK
#define IS_BOUND 0x80000000u /* added to file_mode, which has permission bits only, when the file has been made */

static int has_bound_path;

void set_options(long fd, const struct crac_socket *socket) {
  const struct crac_sockopt *options = plan_records(CRAC_SOCKOPTS);
  options += socket->first_option;
  for (uint32_t i = 0; i < socket->option_count; i++) {
    long error = call(setsockopt, fd, options[i].level, options[i].name, options[i].value, options[i].size);
    if (error != 0)
      give_up("a socket refuses its option %u of level %u: %e", (uint64_t)options[i].name, (uint64_t)options[i].level,
              error);
  }
}

static const char *unix_path(const struct crac_socket *socket) {
  const char *path = plan_blob(socket->address_blob) + sizeof(uint16_t);
  return socket->family == AF_UNIX && *path != 0 ? path : 0;
}

static int is_socket_file(const char *path) {
  struct stat status;
  return call(newfstatat, AT_FDCWD, path, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISSOCK(status.st_mode);
}

/* A file that an earlier process has left behind; one at which somebody listens stays, and cannot be bound to. */
static void remove_left_behind(const struct crac_socket *socket, const char *path) {
  if (!is_socket_file(path)) return;
  long probe = call(socket, AF_UNIX, socket->type | SOCK_NONBLOCK, 0);
  long error = call(connect, probe, plan_blob(socket->address_blob), socket->address_size);
  call(close, probe);
  if (error == -ECONNREFUSED) call(unlinkat, AT_FDCWD, path, 0);
}

/* Whoever starts cold finds no file that the app has not made: many bind without looking. */
void remove_bound_paths(void) {
  if (!has_bound_path) return;
  const struct crac_socket *sockets = plan_records(CRAC_SOCKETS);
  for (uint32_t i = 0; i < plan_count(CRAC_SOCKETS); i++) {
    if (!(sockets[i].file_mode & IS_BOUND)) continue;
    long folder = AT_FDCWD;
    if (sockets[i].folder_blob != 0)
      folder = call(openat, AT_FDCWD, plan_blob(sockets[i].folder_blob), O_PATH | O_DIRECTORY | O_CLOEXEC);
    call(unlinkat, folder, unix_path(&sockets[i]), 0);
  }
}

/* make_descriptors() sets the current folder and the umask when all is made. */
static void prepare_path(const struct crac_socket *socket, const char *path) {
  if (socket->folder_blob != 0) {
    const char *folder = plan_blob(socket->folder_blob);
    long error = call(chdir, folder);
    if (error != 0) give_up("%s: %e", folder, error);
  }
  remove_left_behind(socket, path);
  long error = call(umask, ~socket->file_mode & 0777);
  if (is_error(error)) give_up("%s cannot be given its mode: %e", path, error);
}

static void bind_socket(const struct crac_fd *wanted, struct crac_socket *socket, long fd) {
  const char *path = unix_path(socket), *name = plan_blob(wanted->path_blob);
  if (path != 0) prepare_path(socket, path);
  long error = call(bind, fd, plan_blob(socket->address_blob), socket->address_size);
  if (error == -EACCES && path == 0)
    give_up("%s cannot be bound: permission denied (it needs CAP_NET_BIND_SERVICE or net.ipv4.ip_unprivileged_port_start)", name);
  if (error != 0) give_up("%s cannot be bound: %e", name, error);
  if (path == 0) return;
  socket->file_mode |= IS_BOUND;
  has_bound_path = 1;
}

long make_socket(const struct crac_fd *wanted) {
  struct crac_socket *sockets = plan_records(CRAC_SOCKETS), *socket = &sockets[wanted->a];
  long fd = call(socket, socket->family, socket->type, socket->protocol);
  if (is_error(fd)) give_up("%s cannot be made: %e", plan_blob(wanted->path_blob), fd);
  set_options(fd, socket);
  if (socket->address_size != 0) bind_socket(wanted, socket, fd);
  if (socket->backlog != CRAC_NONE) {
    long error = call(listen, fd, socket->backlog);
    if (error != 0) give_up("%s cannot be listened on: %e", plan_blob(wanted->path_blob), error);
  }
  return fd;
}
