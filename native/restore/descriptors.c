#include "descriptors.h"

#include <linux/errno.h>
#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include <linux/resource.h>
#include <asm/stat.h>
#include <linux/stat.h>

#include "cold.h"
#include "plan_file.h"
#include "syscall.h"

#define AF_UNIX 1
#define SOCK_STREAM 1
#define NONE 0xffffffffu /* an end of a pair that the process does not have */
#define SCRATCH_DESCRIPTORS 16

static struct rlimit limit_before;

void close_descriptors(uint32_t first, uint32_t last) {
  if (first > last || call(close_range, first, last, 0) == 0) return;
  struct rlimit limit = {.rlim_cur = 1024};
  call(prlimit64, 0, RLIMIT_NOFILE, 0, &limit);
  for (uint64_t fd = first; fd <= last && fd < limit.rlim_cur + SCRATCH_DESCRIPTORS; fd++) call(close, fd);
}

void move_descriptor(long fd, uint32_t to, int flags) {
  if (fd == (long)to) {
    call(fcntl, fd, F_SETFD, flags & O_CLOEXEC ? FD_CLOEXEC : 0);
    return;
  }
  long error = call(dup3, fd, to, flags);
  call(close, fd);
  if (is_error(error)) give_up("descriptor %u cannot be made: %e", (uint64_t)to, error);
}

void stage_descriptors(void) {
  call(prlimit64, 0, RLIMIT_NOFILE, 0, &limit_before);
  struct rlimit limit = limit_before;
  uint64_t wanted = (uint64_t)plan->scratch_fd + SCRATCH_DESCRIPTORS;
  if (limit.rlim_max < wanted)
    give_up("the limit of open files is %u, %u are needed", (uint64_t)limit.rlim_max, wanted);
  if (limit.rlim_cur < wanted) {
    limit.rlim_cur = wanted;
    call(prlimit64, 0, RLIMIT_NOFILE, &limit, 0);
  }
  move_descriptor(mem_fd, plan->scratch_fd, O_CLOEXEC);
  mem_fd = plan->scratch_fd;
  close_descriptors(3, plan->scratch_fd - 1);
  close_descriptors(plan->scratch_fd + 1, ~0u);
}

void put_back_descriptor_limit(void) {
  if (limit_before.rlim_max != 0) call(prlimit64, 0, RLIMIT_NOFILE, &limit_before, 0);
}

void finish_descriptors(void) {
  close_descriptors(plan->scratch_fd, ~0u);
  struct rlimit limit = {.rlim_cur = plan->nofile_soft, .rlim_max = limit_before.rlim_max};
  if (limit.rlim_cur == 0) limit.rlim_cur = limit_before.rlim_cur;
  if (limit.rlim_cur > limit.rlim_max) limit.rlim_cur = limit.rlim_max;
  call(prlimit64, 0, RLIMIT_NOFILE, &limit, 0);
}

static int cloexec(uint32_t fd_flags) { return fd_flags & FD_CLOEXEC ? O_CLOEXEC : 0; }

static void place(long fd, uint32_t to, uint32_t flags, uint32_t fd_flags) {
  if (flags & (O_NONBLOCK | O_APPEND)) call(fcntl, fd, F_SETFL, flags);
  move_descriptor(fd, to, cloexec(fd_flags));
}

static long checked(const struct crac_fd *wanted, const char *what, long fd) {
  if (is_error(fd)) give_up("%s (descriptor %u) cannot be made: %e", what, (uint64_t)wanted->fd, fd);
  return fd;
}

static long open_file(const struct crac_fd *wanted) {
  const char *path = plan_blob(wanted->path_blob);
  long fd = call(open, path, (wanted->flags & ~(O_EXCL | O_TRUNC)) | O_NOCTTY, wanted->c);
  if (is_error(fd)) give_up("%s: %e", path, fd);
  struct stat status;
  long error = call(fstat, fd, &status);
  if (error != 0) give_up("%s: %e", path, error);
  uint64_t size = (uint64_t)status.st_size, position = wanted->a;
  int mode = wanted->flags & O_ACCMODE;
  if (S_ISREG(status.st_mode) && ((mode == O_RDONLY && size != wanted->b) || (mode == O_RDWR && size < wanted->b)))
    give_up("%s has changed: %u bytes, %u at the checkpoint", path, size, wanted->b);
  /* another file than that of the build, or a new one: what is written does not begin after a hole */
  if (S_ISREG(status.st_mode) && position <= wanted->b && position > size) position = size;
  if (position != 0 && is_error(call(lseek, fd, position, 0))) give_up("%s cannot be positioned", path);
  return fd;
}

static long make_eventfd(const struct crac_fd *wanted) {
  long fd = checked(wanted, "an eventfd", call(eventfd2, 0, wanted->flags & (O_NONBLOCK | 1 /* EFD_SEMAPHORE */)));
  if (wanted->a != 0) call(write, fd, &wanted->a, sizeof wanted->a);
  return fd;
}

/* Both ends first go above everything, so that placing one cannot hit the other. */
static void lift(int pair[2]) {
  for (int i = 0; i < 2; i++) {
    long high = call(fcntl, pair[i], F_DUPFD_CLOEXEC, plan->scratch_fd + 1);
    if (is_error(high)) give_up("a descriptor cannot be made: %e", high);
    call(close, pair[i]);
    pair[i] = (int)high;
  }
}

static void place_pair(const struct crac_fd *wanted, int pair[2]) {
  uint32_t other = (uint32_t)wanted->a;
  if (wanted->fd == NONE)
    call(close, pair[0]);
  else
    place(pair[0], wanted->fd, wanted->flags, wanted->fd_flags);
  if (other == NONE)
    call(close, pair[1]);
  else
    place(pair[1], other, (uint32_t)wanted->d, (uint32_t)(wanted->d >> 32));
}

static void make_pipe(const struct crac_fd *wanted) {
  int pair[2];
  checked(wanted, "a pipe", call(pipe2, pair, 0));
  lift(pair);
  if (wanted->path_blob != 0) call(fcntl, pair[1], F_SETPIPE_SZ, wanted->path_blob);
  if (wanted->c != 0) {
    call(fcntl, pair[1], F_SETFL, O_NONBLOCK);
    if (call(write, pair[1], plan_blob(wanted->b), wanted->c) != (long)wanted->c)
      give_up("the pipe of descriptor %u does not hold its %u bytes", (uint64_t)wanted->fd, wanted->c);
    call(fcntl, pair[1], F_SETFL, 0);
  }
  place_pair(wanted, pair);
}

static void make_unix_pair(const struct crac_fd *wanted) {
  int pair[2];
  checked(wanted, "a socket pair", call(socketpair, AF_UNIX, wanted->b & 0xff, 0, pair));
  lift(pair);
  place_pair(wanted, pair);
}

static long make_dead(const struct crac_fd *wanted) {
  int pair[2];
  checked(wanted, "a closed connection", call(socketpair, AF_UNIX, SOCK_STREAM, 0, pair));
  call(close, pair[1]);
  return pair[0];
}

static void make_descriptor(const struct crac_fd *wanted) {
  long fd;
  switch (wanted->kind) {
    case CRAC_FD_INHERIT: return;
    case CRAC_FD_PIPE: return make_pipe(wanted);
    case CRAC_FD_UNIX_PAIR: return make_unix_pair(wanted);
    case CRAC_FD_DUP:
      fd = checked(wanted, "a copy", call(dup3, wanted->a, wanted->fd, cloexec(wanted->fd_flags)));
      return;
    case CRAC_FD_FILE: /* open() set the status flags */
      return move_descriptor(open_file(wanted), wanted->fd, cloexec(wanted->fd_flags));
    case CRAC_FD_EVENTFD:
      return move_descriptor(make_eventfd(wanted), wanted->fd, cloexec(wanted->fd_flags));
    case CRAC_FD_EPOLL: fd = checked(wanted, "an epoll", call(epoll_create1, 0)); break;
    case CRAC_FD_TCP_LISTEN: fd = make_listener(wanted); break;
    case CRAC_FD_DEAD: fd = make_dead(wanted); break;
    case CRAC_FD_SOCKET:
      fd = checked(wanted, "a socket", call(socket, wanted->a, wanted->b & 0xff, wanted->c));
      break;
    default: give_up("plan.bin has an unknown kind of descriptor (%u)", (uint64_t)wanted->kind);
  }
  uint32_t flags = wanted->kind == CRAC_FD_EPOLL ? 0 : wanted->flags;
  uint32_t fd_flags = wanted->kind == CRAC_FD_EPOLL && wanted->flags & O_CLOEXEC ? FD_CLOEXEC : wanted->fd_flags;
  place(fd, wanted->fd, flags, fd_flags);
}

static void register_epoll(void) {
  const struct crac_epoll *wanted = plan_records(CRAC_EPOLL);
  for (uint32_t i = 0; i < plan_count(CRAC_EPOLL); i++) {
    struct epoll_event event = {.events = wanted[i].events, .data = wanted[i].data};
    long error = call(epoll_ctl, wanted[i].epoll_fd, EPOLL_CTL_ADD, wanted[i].fd, &event);
    if (error != 0)
      give_up("descriptor %u cannot be added to epoll %u: %e", (uint64_t)wanted[i].fd, (uint64_t)wanted[i].epoll_fd, error);
  }
}

void make_descriptors(void) {
  const struct crac_fd *wanted = plan_records(CRAC_FDS);
  for (uint32_t i = 0; i < plan_count(CRAC_FDS); i++) make_descriptor(&wanted[i]);
  register_epoll();
  const char *folder = plan_blob(plan->cwd_blob);
  long error = call(chdir, folder);
  if (error != 0) give_up("%s: %e", folder, error);
  call(umask, plan->umask);
}
