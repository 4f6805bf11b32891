#ifndef RESTORE_CLOCK_H
#define RESTORE_CLOCK_H
#include <stdint.h>

int64_t read_clock_ns(int clock);

/* How far CLOCK_MONOTONIC is from where it was at the dump. */
int64_t clock_delta_ns(void);
/* Moves pending deadlines by the delta, and System.nanoTime() back by it. */
void shift_times(void);
#endif
