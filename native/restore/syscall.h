/* System calls as the kernel has them: a negative errno is the failure. */
#ifndef RESTORE_SYSCALL_H
#define RESTORE_SYSCALL_H
#include <asm/unistd.h>

#include "machine.h"

/* The restorer with faults, which the tests build (test/native/restore-faults.c): a call that is to fail, or to hang. */
#ifdef CRAC_FAULTS
long system_call_or_fault(long number, long a, long b, long c, long d, long e, long f);
long next_fault(long number);
#else
#define system_call_or_fault system_call
static inline long next_fault(long number) { return number * 0; }
#endif

#define SYSCALL_ARGUMENTS(n, a, b, c, d, e, f, ...) \
  system_call_or_fault(__NR_##n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
/* call(close, fd), call(mmap, address, length, …) */
#define call(...) SYSCALL_ARGUMENTS(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)

static inline int is_error(long result) { return result < 0 && result > -4096; }
#endif
