/*
 * a thread inside the critical section of a restartable sequence: it goes on at the abort handler
 * restored: map
 */
#include <sys/rseq.h>

#include "state.h"

static volatile int is_inside, stop, aborts;

/* The section never ends by itself; an abort, as at every preemption, leads back in. */
static void *run(void *argument) {
  struct rseq *own = (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
  __asm__ volatile(
      ".pushsection .data\n .balign 32\n"
      "9: .long 0, 0\n .quad 1f, 3f - 1f, 4f\n"
      ".popsection\n"
      "0: lea 9b(%%rip), %%rax\n mov %%rax, %[section]\n"
      "1: movl $1, %[inside]\n"
      "2: jmp 2b\n"
      "3: ud2\n"
      ".long 0x53053053\n"
      "4: incl %[aborts]\n cmpl $0, %[stop]\n je 0b\n"
      : [section] "=m"(own->rseq_cs), [inside] "=m"(is_inside), [aborts] "+m"(aborts)
      : [stop] "m"(stop)
      : "rax", "memory", "cc");
  return argument;
}

int main(void) {
  need(__rseq_size > 0);
  pthread_t thread = start_thread(run, NULL);
  while (!is_inside) usleep(100);
  await_restore();
  int before = aborts;
  while (aborts == before) usleep(100);
  stop = 1;
  result_of(thread);
}
