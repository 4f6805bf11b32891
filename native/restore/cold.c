/*
 * The cold file: NUL-terminated strings, first the decimal index in argv at which the container's -D arguments go,
 * then argv[0], argv[1], … The other arguments of the container are appended.
 */
#include "cold.h"

#include <linux/errno.h>
#include <linux/futex.h>

#include "descriptors.h"
#include "launch.h"
#include "surroundings.h"
#include "syscall.h"
#include "text.h"

#define FAILED_ITSELF 125
#define COLD_BYTES 65536
#define COLD_ARGUMENTS (1u << 20)

uint32_t way_out;
static char cold_bytes[COLD_BYTES];
static char *cold_argv[COLD_ARGUMENTS];
static long cold_size; /* 0: not read */

void read_cold(void) { cold_size = read_file(launch.cold_path, cold_bytes, sizeof cold_bytes); }

int take_way_out(void) { return __atomic_exchange_n(&way_out, 1, __ATOMIC_ACQ_REL) == 0; }

_Noreturn void wait_for_the_end(void) {
  for (;;) call(futex, &way_out, FUTEX_WAIT_PRIVATE, 1, 0);
}

static void say(const char *what, const char *reason) {
  char line[1024];
  size_t length = format(line, sizeof line - 1, "crac: %s%s", what, reason);
  line[length++] = '\n';
  call(write, 2, line, length);
}

_Noreturn static void fail(const char *what, const char *reason) {
  say(what, reason);
  for (;;) call(exit_group, FAILED_ITSELF);
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

/* has_restored: whether the calling thread is the one whose surroundings were changed. */
_Noreturn static void execute_cold(int has_restored) {
  char reason[512];
  if (cold_size == 0) read_cold();
  if (cold_size < 0) {
    format(reason, sizeof reason, "the cold command cannot be read: %e", cold_size);
    fail("cannot start: ", reason);
  }
  if (launch.argc > COLD_ARGUMENTS / 2) fail("cannot start: ", "too many arguments");
  if (compose_arguments() == 0) fail("cannot start: ", "the cold command is damaged");
  long error = has_restored ? put_back_surroundings() : 0;
  close_descriptors(3, ~0u);
  if (error == 0) error = put_back_process();
  if (error == 0) error = unblock_signals();
  if (error != 0) {
    format(reason, sizeof reason, "what the container gave cannot be put back: %e", error);
    fail("cannot start: ", reason);
  }
  error = call(execve, cold_argv[0], cold_argv, launch.env);
  format(reason, sizeof reason, "%s: %e", cold_argv[0], error);
  fail("cannot start: ", reason);
}

_Noreturn void start_cold(void) {
  if (!take_way_out()) wait_for_the_end();
  execute_cold(1);
}

_Noreturn static void leave(const char *reason, int has_restored) {
  if (launch.mode == RESTORE_REQUIRE) fail("cannot restore: ", reason);
  say("starting cold: ", reason);
  execute_cold(has_restored);
}

_Noreturn void give_up(const char *form, ...) {
  char reason[768];
  va_list list;
  va_start(list, form);
  format_list(reason, sizeof reason, form, list);
  va_end(list);
  if (!take_way_out()) wait_for_the_end();
  put_back_stderr();
  leave(reason, 1);
}

_Noreturn void give_up_from_outside(const char *form, ...) {
  char reason[768];
  va_list list;
  va_start(list, form);
  format_list(reason, sizeof reason, form, list);
  va_end(list);
  leave(reason, 0);
}
