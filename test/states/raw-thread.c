/*
 * a thread made without the C library: no memory of its own, no lists, no word that the kernel clears
 * restored: map
 */
#include <linux/futex.h>
#include <sched.h>

#include "state.h"

static char stack[65536] __attribute__((aligned(16)));
static int word, has_run;

__attribute__((noreturn, used)) static void run(void) {
  long result;
  for (int *address = &word; __atomic_load_n(address, __ATOMIC_ACQUIRE) == 0;)
    __asm__ volatile("mov %[timeout], %%r10\n syscall"
                     : "=a"(result)
                     : "a"(SYS_futex), "D"(address), "S"(FUTEX_WAIT_PRIVATE), "d"(0), [timeout] "r"(0l)
                     : "rcx", "r11", "r10", "memory");
  __atomic_store_n(&has_run, 1, __ATOMIC_RELEASE);
  for (;;) __asm__ volatile("syscall" : "=a"(result) : "a"(SYS_exit), "D"(0) : "rcx", "r11", "memory");
}

int main(void) {
  long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM, tid;
  __asm__ volatile("xor %%edx, %%edx\n xor %%r10d, %%r10d\n xor %%r8d, %%r8d\n syscall\n"
                   "test %%rax, %%rax\n jnz 1f\n call run\n1:"
                   : "=a"(tid)
                   : "a"(SYS_clone), "D"(flags), "S"(stack + sizeof stack)
                   : "rcx", "rdx", "r8", "r10", "r11", "memory");
  need(tid > 0);
  await_system_call(tid, SYS_futex);
  await_restore();
  __atomic_store_n(&word, 1, __ATOMIC_RELEASE);
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1);
  while (__atomic_load_n(&has_run, __ATOMIC_ACQUIRE) == 0) usleep(100);
}
