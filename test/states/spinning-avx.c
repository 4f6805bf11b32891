/*
 * AVX registers of a thread that runs
 * restored: map
 */
#include "state.h"

static volatile int stop, is_spinning;
static uint8_t wanted[16][32], found[16][32];

static void *spin(void *argument) {
  fill(wanted, sizeof wanted, 3);
  __asm__ volatile(
      ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n vmovdqu 32*\\n(%[wanted]), %%ymm\\n\n .endr\n"
      "movl $1, %[spinning]\n"
      "1: cmpl $0, %[stop]\n je 1b\n"
      ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n vmovdqu %%ymm\\n, 32*\\n(%[found])\n .endr\n"
      "vzeroall\n"
      : [spinning] "=m"(is_spinning)
      : [stop] "m"(stop), [wanted] "S"(wanted), [found] "D"(found)
      : "memory", "cc");
  return argument;
}

int main(void) {
  need(__builtin_cpu_supports("avx"));
  pthread_t thread = start_thread(spin, NULL);
  while (!is_spinning) usleep(100);
  await_restore();
  stop = 1;
  result_of(thread);
  check(memcmp(wanted, found, sizeof wanted) == 0);
}
