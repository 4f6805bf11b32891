/* The inline part of ../../machine.h. */
#ifndef RESTORE_X86_64_INLINE_H
#define RESTORE_X86_64_INLINE_H
#include <asm/unistd.h>
#include <stddef.h>
#include <stdint.h>

#define MACHINE_PLAN_ARCH 62u /* EM_X86_64 */
#define MACHINE_PAGE_SIZE 4096u
#define MACHINE_ADDRESS_SPACE_END 0x7ffffffff000ULL /* 47 bits; with 5-level paging more, but only for who asks by a hint */
#define MACHINE_VDSO_PATCH_BYTES 14
#define MACHINE_FRAME_BYTES 304u /* struct ucontext */

static inline long system_call(long number, long a, long b, long c, long d, long e, long f) {
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

static inline void copy_bytes(void *to, const void *from, size_t size) {
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

static inline void fill_bytes(void *to, int value, size_t size) {
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(value) : "memory");
}
#endif
