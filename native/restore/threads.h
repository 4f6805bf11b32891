#ifndef RESTORE_THREADS_H
#define RESTORE_THREADS_H
#include <stdint.h>

/* clone; the new thread runs run(argument) on `stack`. tid: where its id goes and is cleared at its end, as `flags` say. */
long start_thread(uint64_t flags, uint64_t stack, uint64_t tid, uint64_t tls, void (*run)(void *argument), void *argument);
/* All threads but the first, up to a gate at which they wait; ids written to where the process looks for them. */
void make_threads(void);
/* Lets all go at once; the caller becomes the first thread. */
_Noreturn void release_threads(void);
/* Set to 1, and woken, by the process's own runtime to let go those marked CRAC_THREAD_HELD. */
void wait_for_release(void);

uint32_t *held_gate(void);
#endif
