/* System calls as the kernel has them: a negative errno is the failure. */
#ifndef RESTORE_SYSCALL_H
#define RESTORE_SYSCALL_H
#include <asm/unistd.h>
#include <stdint.h>

static inline long syscall6(long number, long a, long b, long c, long d, long e, long f) {
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}
#define SYSCALL_ARGUMENTS(n, a, b, c, d, e, f, ...) \
  syscall6(__NR_##n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
/* call(close, fd), call(mmap, address, length, …) */
#define call(...) SYSCALL_ARGUMENTS(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)

static inline int is_error(long result) { return result < 0 && result > -4096; }
#endif
