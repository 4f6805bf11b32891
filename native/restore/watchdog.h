/* A restore that takes longer than CRAC_RESTORE_TIMEOUT is given up, wherever it is. */
#ifndef RESTORE_WATCHDOG_H
#define RESTORE_WATCHDOG_H

void start_watchdog(void);
/* From here on the restore cannot be given up any more. */
void stop_watchdog(void);
#endif
