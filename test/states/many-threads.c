/*
 * 200 threads
 * restored: map
 */
#include "state.h"

#define COUNT 200
static pthread_barrier_t ready;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t go = PTHREAD_COND_INITIALIZER;
static int may_go;

static void *run(void *number) {
  char kept[512];
  fill(kept, sizeof kept, (uintptr_t)number);
  pthread_barrier_wait(&ready);
  pthread_mutex_lock(&lock);
  while (!may_go) pthread_cond_wait(&go, &lock);
  pthread_mutex_unlock(&lock);
  return is_filled(kept, sizeof kept, (uintptr_t)number) ? number : NULL;
}

int main(void) {
  pthread_t threads[COUNT];
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 64 << 10);
  pthread_barrier_init(&ready, NULL, COUNT + 1);
  for (uintptr_t i = 0; i < COUNT; i++) need(pthread_create(&threads[i], &small, run, (void *)(i + 1)) == 0);
  pthread_barrier_wait(&ready);
  await_restore();
  pthread_mutex_lock(&lock);
  may_go = 1;
  pthread_cond_broadcast(&go);
  pthread_mutex_unlock(&lock);
  for (uintptr_t i = 0; i < COUNT; i++) check(result_of(threads[i]) == (void *)(i + 1));
}
