/* Where the time goes, for CRAC_LOG=debug, and where a restore is that takes too long. */
#ifndef RESTORE_PHASES_H
#define RESTORE_PHASES_H
void begin_phase(const char *name);
const char *current_phase(void);
void report_phases(void);
#endif
