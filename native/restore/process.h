#ifndef RESTORE_PROCESS_H
#define RESTORE_PROCESS_H
/* What /proc shows of the process (arguments, heap, auxiliary vector). The process works without: failure is ignored. */
void set_process_layout(void);
/* Signal handlers; what the plan does not name gets its default. */
void set_process_attributes(void);
void set_signal_actions(void);
#endif
