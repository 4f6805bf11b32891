/*
 * x87 and SSE registers, control words and integer registers of a thread that runs
 * restored: map
 */
#include "state.h"

static volatile int stop, is_spinning;
static struct {
  uint64_t general[8];
  uint8_t xmm[16][16];
  uint16_t control;
  uint32_t mxcsr;
  double x87;
} wanted, found;

static void *spin(void *argument) {
  fill(&wanted, sizeof wanted, 5);
  wanted.control = 0x27f; /* 53 bits */
  wanted.mxcsr = 0xdf80;  /* flush to zero, round down */
  wanted.x87 = 1.0 / 3;
  __asm__ volatile(
      "push %%rbp\n"
      "fninit\n fldcw %c[cw](%[wanted])\n ldmxcsr %c[mx](%[wanted])\n fldl %c[st](%[wanted])\n"
      ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n movdqu %c[xmm]+16*\\n(%[wanted]), %%xmm\\n\n .endr\n"
      "mov (%[wanted]), %%rbx\n mov 8(%[wanted]), %%rcx\n mov 16(%[wanted]), %%r8\n mov 24(%[wanted]), %%r9\n"
      "mov 32(%[wanted]), %%r12\n mov 40(%[wanted]), %%r13\n mov 48(%[wanted]), %%r14\n mov 56(%[wanted]), %%rbp\n"
      "movl $1, %[spinning]\n"
      "1: cmpl $0, %[stop]\n je 1b\n"
      "mov %%rbx, (%[found])\n mov %%rcx, 8(%[found])\n mov %%r8, 16(%[found])\n mov %%r9, 24(%[found])\n"
      "mov %%r12, 32(%[found])\n mov %%r13, 40(%[found])\n mov %%r14, 48(%[found])\n mov %%rbp, 56(%[found])\n"
      ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n movdqu %%xmm\\n, %c[xmm]+16*\\n(%[found])\n .endr\n"
      "fnstcw %c[cw](%[found])\n stmxcsr %c[mx](%[found])\n fstpl %c[st](%[found])\n fninit\n"
      "pop %%rbp\n"
      : [spinning] "=m"(is_spinning)
      : [stop] "m"(stop), [wanted] "S"(&wanted), [found] "D"(&found), [xmm] "i"(__builtin_offsetof(typeof(wanted), xmm)),
        [cw] "i"(__builtin_offsetof(typeof(wanted), control)), [mx] "i"(__builtin_offsetof(typeof(wanted), mxcsr)),
        [st] "i"(__builtin_offsetof(typeof(wanted), x87))
      : "rbx", "rcx", "r8", "r9", "r12", "r13", "r14", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5",
        "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
  return argument;
}

int main(void) {
  pthread_t thread = start_thread(spin, NULL);
  while (!is_spinning) usleep(100);
  await_restore();
  stop = 1;
  result_of(thread);
  check(memcmp(wanted.general, found.general, sizeof wanted.general) == 0);
  check(memcmp(wanted.xmm, found.xmm, sizeof wanted.xmm) == 0);
  check_equal(found.control, wanted.control);
  check_equal(found.mxcsr & ~0x3fu, wanted.mxcsr);
  check(found.x87 == wanted.x87);
}
