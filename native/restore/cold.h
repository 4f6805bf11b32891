/* The way out until the threads are released: one line that says why, then the app's ordinary start by execve. */
#ifndef RESTORE_COLD_H
#define RESTORE_COLD_H
#include <stdint.h>

_Noreturn void start_cold(void);
/* See text.h for the forms. */
_Noreturn void give_up(const char *reason, ...);
/* The same from a thread beside the one that restores, which execve or exit_group ends wherever it is. */
_Noreturn void give_up_from_outside(const char *reason, ...);

/*
 * There is one way out, and whoever takes it alone goes on: to a cold start, or to the restored process. False when it has
 * been taken; then wait_for_the_end() until the other one ends the caller.
 */
int take_way_out(void);
_Noreturn void wait_for_the_end(void);
/* The futex word behind it: 0 while free. */
extern uint32_t way_out;
#endif
