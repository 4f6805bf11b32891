#ifndef RESTORE_PROCESS_H
#define RESTORE_PROCESS_H
/* What /proc shows of the process (arguments, heap, auxiliary vector). The process works without: failure is ignored. */
void set_process_layout(void);
/* Signal handlers; what the plan does not name gets its default. */
void set_signal_actions(void);
/* What the process had set with prctl and membarrier. */
void set_process_attributes(void);
/* Those that would outlast execve; 0 or a negative errno. no_new_privs cannot be taken back. */
long put_back_process_attributes(void);
#endif
