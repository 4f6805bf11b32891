#ifndef RESTORE_THREADS_H
#define RESTORE_THREADS_H
/* All threads but the first, up to a gate at which they wait; ids written to where the process looks for them. */
void make_threads(void);
/* Lets all go at once; the caller becomes the first thread. */
_Noreturn void release_threads(void);
#endif
