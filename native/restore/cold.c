#include "cold.h"

#include "cold_command.h"
#include "descriptors.h"
#include "launch.h"
#include "surroundings.h"
#include "syscall.h"
#include "text.h"
#include "way_out.h"

#define FAILED_ITSELF 125
#define REASON_BYTES 768

static void say(const char *what, const char *reason) {
  char line[REASON_BYTES + 64];
  size_t length = format(line, sizeof line - 1, "crac: %s%s", what, reason);
  line[length++] = '\n';
  call(write, 2, line, length);
}

_Noreturn static void fail(const char *what, const char *reason) {
  say(what, reason);
  for (;;) call(exit_group, FAILED_ITSELF);
}

_Noreturn void fail_itself(const char *reason) { fail("cannot restore: ", reason); }

/* has_restored: whether the calling thread is the one whose surroundings were changed. */
_Noreturn static void execute_cold(int has_restored) {
  char reason[REASON_BYTES];
  char **command = compose_cold_command(reason, sizeof reason);
  if (command == NULL) fail("cannot start: ", reason);
  long error = has_restored ? put_back_surroundings() : 0;
  close_descriptors(3, ~0u);
  if (error == 0) error = put_back_process();
  if (error == 0) error = unblock_signals();
  if (error != 0) {
    format(reason, sizeof reason, "what the container gave cannot be put back: %e", error);
    fail("cannot start: ", reason);
  }
  error = call(execve, command[0], command, launch.env);
  format(reason, sizeof reason, "%s: %e", command[0], error);
  fail("cannot start: ", reason);
}

_Noreturn void start_cold(void) {
  keep_way_out();
  execute_cold(1);
}

_Noreturn static void leave(const char *form, va_list list, int has_restored) {
  char reason[REASON_BYTES];
  format_list(reason, sizeof reason, form, list);
  remove_bound_paths();
  if (launch.mode == RESTORE_REQUIRE) fail("cannot restore: ", reason);
  say("starting cold: ", reason);
  execute_cold(has_restored);
}

_Noreturn void give_up(const char *form, ...) {
  va_list list;
  va_start(list, form);
  keep_way_out();
  put_back_stderr();
  leave(form, list, 1);
}

_Noreturn void give_up_from_outside(const char *form, ...) {
  va_list list;
  va_start(list, form);
  leave(form, list, 0);
}
