/*
 * The cold file: NUL-terminated strings, first the decimal index in argv at which the container's -D arguments go,
 * then argv[0], argv[1], … The other arguments of the container are appended.
 */
#include "cold.h"

#include <asm/signal.h>
#include <linux/fcntl.h>
#include <linux/resource.h>

#include "descriptors.h"
#include "launch.h"
#include "syscall.h"
#include "text.h"

#define FAILED_ITSELF 125
#define COLD_BYTES 65536
#define COLD_ARGUMENTS 131072u

static char cold_bytes[COLD_BYTES];
static char *cold_argv[COLD_ARGUMENTS];
static long cold_size;

static unsigned long mask_before, ignored_before;

static struct {
  int is_taken;
  unsigned scratch_fd, open_before; /* bit n: descriptor n was open */
  long umask;
  struct rlimit nofile;
} before;

void read_cold(void) { cold_size = read_file(launch.cold_path, cold_bytes, sizeof cold_bytes); }

void block_signals(void) {
  unsigned long all = ~0UL;
  call(rt_sigprocmask, SIG_SETMASK, &all, &mask_before, 8);
  for (int number = 1; number <= 64; number++) {
    struct sigaction action;
    if (call(rt_sigaction, number, 0, &action, 8) == 0 && action.sa_handler == SIG_IGN)
      ignored_before |= 1UL << (number - 1);
  }
}

unsigned long ignored_signals(void) { return ignored_before; }

void remember_surroundings(unsigned scratch_fd) {
  before.is_taken = 1;
  before.scratch_fd = scratch_fd;
  for (unsigned fd = 0; fd < 3; fd++)
    if (!is_error(call(dup3, fd, scratch_fd + 1 + fd, O_CLOEXEC))) before.open_before |= 1u << fd;
  long folder = call(openat, AT_FDCWD, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (!is_error(folder)) move_descriptor(folder, scratch_fd + 4, O_CLOEXEC);
  call(umask, before.umask = call(umask, 0));
}

static void put_back_surroundings(void) {
  if (!before.is_taken) return;
  for (unsigned fd = 0; fd < 3; fd++) {
    if (before.open_before & 1u << fd)
      call(dup3, before.scratch_fd + 1 + fd, fd, 0);
    else
      call(close, fd);
  }
  call(fchdir, before.scratch_fd + 4);
  call(umask, before.umask);
  put_back_descriptor_limit();
  for (int number = 1; number <= 64; number++) {
    struct sigaction action = {.sa_handler = ignored_before & 1UL << (number - 1) ? SIG_IGN : SIG_DFL};
    call(rt_sigaction, number, &action, 0, 8);
  }
}

static void say(const char *what, const char *reason) {
  char line[1024];
  size_t length = format(line, sizeof line - 1, "crac: %s%s", what, reason);
  line[length++] = '\n';
  call(write, 2, line, length);
}

static int is_property(const char *argument) { return argument[0] == '-' && argument[1] == 'D' && argument[2] != 0; }

static uint32_t append(uint32_t count, int properties) {
  for (uint32_t i = 1; i < launch.argc && count + 1 < COLD_ARGUMENTS; i++)
    if (is_property(launch.argv[i]) == properties) cold_argv[count++] = launch.argv[i];
  return count;
}

/* 0 when the file is no cold command. */
static uint32_t compose_arguments(void) {
  if (cold_size < 4 || cold_bytes[cold_size - 1] != 0) return 0;
  const char *text = cold_bytes;
  uint64_t properties_at = parse_number(&text, 10);
  if (text == cold_bytes || *text++ != 0) return 0;
  uint32_t count = 0, from_file = 0;
  int is_inserted = 0;
  for (;; text += strlen(text) + 1, from_file++) {
    int is_end = text >= cold_bytes + cold_size;
    if (!is_inserted && (is_end || from_file == properties_at)) {
      count = append(count, 1);
      is_inserted = 1;
    }
    if (is_end) break;
    if (count + 1 >= COLD_ARGUMENTS) return 0;
    cold_argv[count++] = (char *)text;
  }
  if (from_file == 0) return 0;
  count = append(count, 0);
  cold_argv[count] = NULL;
  return count;
}

_Noreturn void start_cold(void) {
  put_back_surroundings();
  char reason[512];
  if (cold_size < 0) {
    format(reason, sizeof reason, "the cold command cannot be read: %e", cold_size);
  } else if (compose_arguments() == 0) {
    format(reason, sizeof reason, "the cold command is damaged");
  } else {
    close_descriptors(3, ~0u);
    call(rt_sigprocmask, SIG_SETMASK, &mask_before, 0, 8);
    long error = call(execve, cold_argv[0], cold_argv, launch.env);
    format(reason, sizeof reason, "%s: %e", cold_argv[0], error);
  }
  say("cannot start: ", reason);
  for (;;) call(exit_group, FAILED_ITSELF);
}

_Noreturn void give_up(const char *form, ...) {
  char reason[768];
  va_list list;
  va_start(list, form);
  format_list(reason, sizeof reason, form, list);
  va_end(list);
  if (before.is_taken && before.open_before & 4) call(dup3, before.scratch_fd + 3, 2, 0);
  if (launch.mode == RESTORE_REQUIRE) {
    say("cannot restore: ", reason);
    for (;;) call(exit_group, FAILED_ITSELF);
  }
  say("starting cold: ", reason);
  start_cold();
}
