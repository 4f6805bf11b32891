/* System calls as the kernel has them: a negative errno is the failure. */
#ifndef RESTORE_SYSCALL_H
#define RESTORE_SYSCALL_H
#include <asm/unistd.h>

#include "machine.h"

#define SYSCALL_ARGUMENTS(n, a, b, c, d, e, f, ...) \
  system_call(__NR_##n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
/* call(close, fd), call(mmap, address, length, …) */
#define call(...) SYSCALL_ARGUMENTS(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)

static inline int is_error(long result) { return result < 0 && result > -4096; }
#endif
