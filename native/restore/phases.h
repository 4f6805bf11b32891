#ifndef RESTORE_PHASES_H
#define RESTORE_PHASES_H
/* Where the time goes, for CRAC_LOG=debug. */
void begin_phases(void);
void end_phase(const char *name);
void report_phases(void);
#endif
