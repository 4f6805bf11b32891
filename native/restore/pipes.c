#include <linux/fcntl.h>

#include "cold.h"
#include "make_descriptor.h"
#include "plan_file.h"
#include "syscall.h"

void lift(int pair[2]) {
  for (int i = 0; i < 2; i++) {
    long high = call(fcntl, pair[i], F_DUPFD_CLOEXEC, plan->scratch_fd + 1);
    if (is_error(high)) give_up("a descriptor cannot be made: %e", high);
    call(close, pair[i]);
    pair[i] = (int)high;
  }
}

void place_pair(const struct crac_fd *wanted, int pair[2]) {
  uint32_t other = (uint32_t)wanted->a;
  if (wanted->fd == CRAC_NONE)
    call(close, pair[0]);
  else
    place(pair[0], wanted->fd, wanted->flags, wanted->fd_flags);
  if (other == CRAC_NONE)
    call(close, pair[1]);
  else
    place(pair[1], other, (uint32_t)wanted->d, (uint32_t)(wanted->d >> 32));
}

static uint64_t name_of(const struct crac_fd *wanted) { return wanted->fd == CRAC_NONE ? wanted->a : wanted->fd; }

/* The kernel gives less than a pipe's usual capacity to users who have very many of them. */
static void set_capacity(const struct crac_fd *wanted, int end) {
  long error = call(fcntl, end, F_SETPIPE_SZ, wanted->path_blob);
  if (is_error(error))
    give_up("the pipe of descriptor %u cannot have its %u bytes: %e", name_of(wanted), (uint64_t)wanted->path_blob, error);
}

void make_pipe(const struct crac_fd *wanted) {
  int pair[2];
  checked(wanted, "a pipe", call(pipe2, pair, O_NONBLOCK));
  lift(pair);
  if (wanted->path_blob != 0) set_capacity(wanted, pair[1]);
  if (wanted->c != 0 && call(write, pair[1], plan_blob(wanted->b), wanted->c) != (long)wanted->c)
    give_up("the pipe of descriptor %u does not hold its %u bytes", name_of(wanted), wanted->c);
  place_pair(wanted, pair);
}
