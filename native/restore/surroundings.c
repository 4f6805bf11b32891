#include "surroundings.h"

#include <asm/signal.h>
#include <linux/errno.h>
#include <linux/fcntl.h>

#include "cold.h"
#include "descriptors.h"
#include "page_faults.h"
#include "process.h"
#include "syscall.h"

#define SIGNALS 64

static unsigned long mask_before, ignored_before;
static int is_blocked;

static struct {
  int is_taken;
  unsigned scratch_fd, open_before; /* bit n: descriptor n was open */
  long umask;
} before;

void block_signals(void) {
  unsigned long mask = ~PAGE_FAULTS;
  long error = call(rt_sigprocmask, SIG_SETMASK, &mask, &mask_before, 8);
  if (error != 0) give_up("signals cannot be blocked: %e", error);
  is_blocked = 1;
  for (int number = 1; number <= SIGNALS; number++) {
    struct sigaction action;
    error = call(rt_sigaction, number, 0, &action, 8);
    if (error != 0) give_up("signal %u cannot be looked at: %e", (uint64_t)number, error);
    if (action.sa_handler == SIG_IGN) ignored_before |= 1UL << (number - 1);
  }
}

unsigned long ignored_signals(void) { return ignored_before; }

static long swap_umask(void) {
  long was = call(umask, 0);
  if (!is_error(was)) call(umask, was);
  return was;
}

void remember_surroundings(unsigned scratch_fd) {
  before.scratch_fd = scratch_fd;
  for (unsigned fd = 0; fd < 3; fd++) {
    long copy = call(dup3, fd, scratch_fd + 1 + fd, O_CLOEXEC);
    if (is_error(copy) && copy != -EBADF) give_up("descriptor %u cannot be kept: %e", (uint64_t)fd, copy);
    if (!is_error(copy)) before.open_before |= 1u << fd;
  }
  long folder = call(openat, AT_FDCWD, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (is_error(folder)) give_up("the working folder cannot be kept: %e", folder);
  move_descriptor(folder, scratch_fd + 4, O_CLOEXEC);
  before.umask = swap_umask();
  if (is_error(before.umask)) give_up("the umask cannot be read: %e", before.umask);
  before.is_taken = 1; /* nothing is changed until here */
}

void put_back_stderr(void) {
  if (before.is_taken && before.open_before & 4) call(dup3, before.scratch_fd + 3, 2, 0);
}

long put_back_surroundings(void) {
  if (!before.is_taken) return 0;
  for (unsigned fd = 0; fd < 3; fd++) {
    long error = 0;
    if (before.open_before & 1u << fd)
      error = call(dup3, before.scratch_fd + 1 + fd, fd, 0);
    else
      call(close, fd);
    if (is_error(error)) return error;
  }
  long error = call(umask, before.umask);
  return is_error(error) ? error : call(fchdir, before.scratch_fd + 4);
}

long put_back_process(void) {
  long error = put_back_descriptor_limit();
  if (error != 0) return error;
  for (int number = 1; number <= SIGNALS; number++) {
    struct sigaction action = {.sa_handler = ignored_before & 1UL << (number - 1) ? SIG_IGN : SIG_DFL};
    error = number == SIGKILL || number == SIGSTOP ? 0 : call(rt_sigaction, number, &action, 0, 8);
    if (error != 0) return error;
  }
  return put_back_process_attributes();
}

long unblock_signals(void) { return is_blocked ? call(rt_sigprocmask, SIG_SETMASK, &mask_before, 0, 8) : 0; }
