/*
 * Restored or started cold, never both: the restoring thread and the watchdog agree on who decides. While the way out is
 * held the watchdog does not take it, so what the whole process shares (limits, signal handlers) is changed in between and
 * the watchdog's cold start finds it changed or not, but never changing.
 */
#ifndef RESTORE_WAY_OUT_H
#define RESTORE_WAY_OUT_H
#include <linux/time_types.h>

/* Of the restoring thread. None returns when the watchdog has been faster: it ends this thread. */
void hold_way_out(void);
void let_go_way_out(void);
/* For good: this thread decides. */
void keep_way_out(void);

/* Of the watchdog: true when it decides, from `deadline` on; false when there is nothing to decide any more. */
int take_way_out(const struct __kernel_timespec *deadline);
#endif
