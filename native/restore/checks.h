/* What must be true before anything irreversible is done. Each gives up with the reason when it is not. */
#ifndef RESTORE_CHECKS_H
#define RESTORE_CHECKS_H
void check_cpu(void);          /* cpu.c */
void check_memory_limit(void); /* memory_limit.c */
void check_files(void);
void check_address_space(void);
#endif
