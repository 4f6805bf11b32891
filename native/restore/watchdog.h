/* A restore that takes longer than CRAC_RESTORE_TIMEOUT is given up, wherever it is. */
#ifndef RESTORE_WATCHDOG_H
#define RESTORE_WATCHDOG_H

/* Until keep_way_out(). */
void start_watchdog(void);
#endif
