#ifndef RESTORE_THREADS_H
#define RESTORE_THREADS_H
#include <stdint.h>

/* All threads but the first, up to a gate at which they wait; ids written to where the process looks for them. */
void make_threads(void);
/* Lets all go at once; the caller becomes the first thread. */
_Noreturn void release_threads(void);
/* Set to 1, and woken, by the process's own runtime to let go those marked CRAC_THREAD_HELD. */
uint32_t *held_gate(void);
#endif
