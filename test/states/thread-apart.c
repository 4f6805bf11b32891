/*
 * threads that have descriptors or a current folder of their own, or are bound to a processor
 * refused: thread * (own descriptors): it has descriptors of its own. Do not call unshare in a thread before the checkpoint
 * refused: thread * (own folder): it has a current folder of its own. Do not call unshare in a thread before the checkpoint
 * refused: thread * (bound): it was bound to processors. Start the app without taskset, and do not bind threads before the checkpoint
 */
#include <sched.h>
#include <sys/prctl.h>

#include "state.h"

static pthread_barrier_t ready;

static void wait_named(const char *name) {
  prctl(PR_SET_NAME, name);
  pthread_barrier_wait(&ready);
  for (;;) pause();
}

static void *take_descriptors(void *argument) {
  need(unshare(CLONE_FILES) == 0);
  wait_named("own descriptors");
  return argument;
}

static void *take_folder(void *argument) {
  need(unshare(CLONE_FS) == 0);
  wait_named("own folder");
  return argument;
}

static void *take_processor(void *argument) {
  cpu_set_t all, one;
  need(sched_getaffinity(0, sizeof all, &all) == 0 && CPU_COUNT(&all) > 1);
  CPU_ZERO(&one);
  for (int cpu = 0; CPU_COUNT(&one) == 0; cpu++)
    if (CPU_ISSET(cpu, &all)) CPU_SET(cpu, &one);
  need(sched_setaffinity(0, sizeof one, &one) == 0);
  wait_named("bound");
  return argument;
}

int main(void) {
  pthread_barrier_init(&ready, NULL, 4);
  start_thread(take_descriptors, NULL);
  start_thread(take_folder, NULL);
  start_thread(take_processor, NULL);
  pthread_barrier_wait(&ready);
  await_restore();
}
