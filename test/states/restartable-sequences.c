/*
 * glibc's restartable sequences: the kernel goes on telling each thread its CPU
 * restored: map
 */
#include <sched.h>
#include <sys/rseq.h>

#include "state.h"

static pthread_barrier_t ready, restored;

static struct rseq *own_rseq(void) { return (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset); }

/* The kernel takes the area back only when it is registered. */
static int is_registered(void) {
  int is_known = own_rseq()->cpu_id < 100000 && (int)own_rseq()->cpu_id_start >= 0;
  return is_known && syscall(SYS_rseq, own_rseq(), 32, 1 /* RSEQ_FLAG_UNREGISTER */, RSEQ_SIG) == 0;
}

static void *run(void *argument) {
  need((int)own_rseq()->cpu_id >= 0);
  pthread_barrier_wait(&ready);
  own_rseq()->cpu_id = 123456;
  pthread_barrier_wait(&restored);
  sched_yield();
  return is_registered() ? argument : NULL;
}

int main(void) {
  need(__rseq_size > 0 && (int)own_rseq()->cpu_id >= 0);
  pthread_barrier_init(&ready, NULL, 2);
  pthread_barrier_init(&restored, NULL, 2);
  pthread_t thread = start_thread(run, &ready);
  pthread_barrier_wait(&ready);
  await_restore();
  pthread_barrier_wait(&restored);
  check(result_of(thread) != NULL);
  check(is_registered());
}
