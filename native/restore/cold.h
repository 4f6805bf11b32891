/* The way out until the threads are released: one line that says why, then the app's ordinary start by execve. */
#ifndef RESTORE_COLD_H
#define RESTORE_COLD_H

_Noreturn void start_cold(void);
/* See text.h for the forms. */
_Noreturn void give_up(const char *reason, ...);
/* The same from the watchdog, which has the way out: execve or exit_group ends the restoring thread, wherever it is. */
_Noreturn void give_up_from_outside(const char *reason, ...);
/* Neither restored nor started: exit code 125. */
_Noreturn void fail_itself(const char *reason);
#endif
