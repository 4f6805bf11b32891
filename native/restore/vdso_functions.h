#ifndef RESTORE_VDSO_FUNCTIONS_H
#define RESTORE_VDSO_FUNCTIONS_H
#include <stdint.h>

/* The address of a function that the vdso at [start, end) exports; 0 when it has none, or is no vdso that we understand. */
uint64_t find_vdso_function(uint64_t start, uint64_t end, const char *name);
#endif
