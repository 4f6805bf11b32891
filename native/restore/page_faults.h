/* Memory that cannot be had after all, such as pages of a file that has become shorter or a disk that fails. */
#ifndef RESTORE_PAGE_FAULTS_H
#define RESTORE_PAGE_FAULTS_H
#include <asm/signal.h>

/* Bit n-1 for signal n: not blocked while we restore, since the kernel ends a process that blocks them. */
#define PAGE_FAULTS (1UL << (SIGSEGV - 1) | 1UL << (SIGBUS - 1))

/* From here to the app's own handlers they are a reason to give up. */
void catch_page_faults(void);
#endif
