#pragma once
#include <stdint.h>

/*
 * Asks for PATH again and again over one kept connection, the next time when the last answer is whole. done_ns[i] becomes the
 * monotonic time at which counts[i] answers were there; counts grow, and `already` of them came before. Returns 0, or -1 where an
 * answer is none, is no 200, or the deadline has passed.
 */
int operate(int port, const char *path, const long *counts, int count_count, long already, int64_t deadline_ns,
            int64_t *done_ns);
