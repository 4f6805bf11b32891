#include "descriptors.h"

#include <linux/errno.h>
#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include <linux/resource.h>

#include "cold.h"
#include "make_descriptor.h"
#include "plan_file.h"
#include "syscall.h"

#define LAST_INHERITED 2
#define SCRATCH_DESCRIPTORS 16

static struct rlimit limit_before;

void move_descriptor(long fd, uint32_t to, int flags) {
  long error;
  if (fd == (long)to) {
    error = call(fcntl, fd, F_SETFD, flags & O_CLOEXEC ? FD_CLOEXEC : 0);
  } else {
    error = call(dup3, fd, to, flags);
    call(close, fd);
  }
  if (is_error(error)) give_up("descriptor %u cannot be made: %e", (uint64_t)to, error);
}

void stage_descriptors(void) {
  long error = call(prlimit64, 0, RLIMIT_NOFILE, 0, &limit_before);
  if (error != 0) give_up("the limit of open files cannot be read: %e", error);
  struct rlimit limit = limit_before;
  uint64_t wanted = (uint64_t)plan->scratch_fd + SCRATCH_DESCRIPTORS;
  if (limit.rlim_max < wanted)
    give_up("the limit of open files is %u, %u are needed", (uint64_t)limit.rlim_max, wanted);
  if (limit.rlim_cur < wanted) {
    limit.rlim_cur = wanted;
    error = call(prlimit64, 0, RLIMIT_NOFILE, &limit, 0);
    if (error != 0) give_up("the limit of open files cannot be raised to %u: %e", wanted, error);
  }
  move_descriptor(mem_fd, plan->scratch_fd, O_CLOEXEC);
  mem_fd = plan->scratch_fd;
  close_descriptors(3, plan->scratch_fd - 1);
  close_descriptors(plan->scratch_fd + 1, ~0u);
}

long put_back_descriptor_limit(void) {
  return limit_before.rlim_max == 0 ? 0 : call(prlimit64, 0, RLIMIT_NOFILE, &limit_before, 0);
}

void set_descriptor_limit(void) {
  struct rlimit limit = {.rlim_cur = plan->nofile_soft, .rlim_max = limit_before.rlim_max};
  if (limit.rlim_cur == 0) limit.rlim_cur = limit_before.rlim_cur;
  if (limit.rlim_cur > limit.rlim_max) limit.rlim_cur = limit.rlim_max;
  long error = call(prlimit64, 0, RLIMIT_NOFILE, &limit, 0);
  if (error != 0) give_up("the limit of open files cannot be set to %u: %e", (uint64_t)limit.rlim_cur, error);
}

void close_scratch(void) { close_descriptors(plan->scratch_fd, plan->scratch_fd + SCRATCH_DESCRIPTORS - 1); }

static int cloexec(uint32_t fd_flags) { return fd_flags & FD_CLOEXEC ? O_CLOEXEC : 0; }

void place(long fd, uint32_t to, uint32_t flags, uint32_t fd_flags) {
  long error = call(fcntl, fd, F_SETFL, flags & (O_NONBLOCK | O_APPEND));
  if (error != 0) give_up("descriptor %u does not take its flags: %e", (uint64_t)to, error);
  move_descriptor(fd, to, cloexec(fd_flags));
}

long checked(const struct crac_fd *wanted, const char *what, long fd) {
  uint64_t name = wanted->fd == CRAC_NONE ? wanted->a : wanted->fd;
  if (is_error(fd)) give_up("%s (descriptor %u) cannot be made: %e", what, name, fd);
  return fd;
}

static void make_descriptor(const struct crac_fd *wanted) {
  int flags = cloexec(wanted->fd_flags);
  switch (wanted->kind) {
    case CRAC_FD_INHERIT: return;
    case CRAC_FD_DUP: checked(wanted, "a copy", call(dup3, wanted->a, wanted->fd, flags)); return;
    case CRAC_FD_PIPE: return make_pipe(wanted);
    case CRAC_FD_UNIX_PAIR: return make_unix_pair(wanted);
    /* These are made with their status flags. */
    case CRAC_FD_FILE: return move_descriptor(open_file(wanted), wanted->fd, flags);
    case CRAC_FD_EVENTFD: return move_descriptor(make_eventfd(wanted), wanted->fd, flags);
    case CRAC_FD_TIMERFD: return move_descriptor(make_timerfd(wanted), wanted->fd, flags);
    case CRAC_FD_EPOLL:
      return move_descriptor(checked(wanted, "an epoll", call(epoll_create1, 0)), wanted->fd, flags);
    case CRAC_FD_DEAD: return place(make_dead(wanted), wanted->fd, wanted->flags, wanted->fd_flags);
    case CRAC_FD_SOCKET: return place(make_socket(wanted), wanted->fd, wanted->flags, wanted->fd_flags);
    default: give_up("plan.bin has an unknown kind of descriptor (%u)", (uint64_t)wanted->kind);
  }
}

static void register_epoll(void) {
  const struct crac_epoll *wanted = plan_records(CRAC_EPOLL);
  for (uint32_t i = 0; i < plan_count(CRAC_EPOLL); i++) {
    struct epoll_event event = {.events = wanted[i].events, .data = wanted[i].data};
    long error = call(epoll_ctl, wanted[i].epoll_fd, EPOLL_CTL_ADD, wanted[i].fd, &event);
    /* What the container gives may be a file: it is always ready, and cannot be watched. */
    if (error == -EPERM && wanted[i].fd <= LAST_INHERITED) continue;
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
  error = call(umask, plan->umask);
  if (is_error(error)) give_up("the umask cannot be set: %e", error);
}
