/*
 * AVX-512 registers and masks of a thread that runs
 * restored: map
 */
#include "state.h"

static volatile int stop, is_spinning;
static struct {
  uint8_t zmm[32][64];
  uint64_t mask[8];
} wanted, found;

static void *spin(void *argument) {
  fill(&wanted, sizeof wanted, 9);
  __asm__ volatile(
      ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
      "vmovdqu64 64*\\n(%[wanted]), %%zmm\\n\n .endr\n"
      ".irp n, 0,1,2,3,4,5,6,7\n kmovq 2048+8*\\n(%[wanted]), %%k\\n\n .endr\n"
      "movl $1, %[spinning]\n"
      "1: cmpl $0, %[stop]\n je 1b\n"
      ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
      "vmovdqu64 %%zmm\\n, 64*\\n(%[found])\n .endr\n"
      ".irp n, 0,1,2,3,4,5,6,7\n kmovq %%k\\n, 2048+8*\\n(%[found])\n .endr\n"
      "vzeroall\n"
      : [spinning] "=m"(is_spinning)
      : [stop] "m"(stop), [wanted] "S"(&wanted), [found] "D"(&found)
      : "memory", "cc");
  return argument;
}

int main(void) {
  need(__builtin_cpu_supports("avx512bw"));
  pthread_t thread = start_thread(spin, NULL);
  while (!is_spinning) usleep(100);
  await_restore();
  stop = 1;
  result_of(thread);
  for (int i = 0; i < 32; i++) check(memcmp(wanted.zmm[i], found.zmm[i], 64) == 0);
  check(memcmp(wanted.mask, found.mask, sizeof wanted.mask) == 0);
}
