/*
 * robust locks: held by a thread that lives on, and by one that ends after the restore
 * restored: map, read
 */
#include "state.h"

static pthread_mutex_t lives, dies;
static pthread_barrier_t locked, restored;

static void make(pthread_mutex_t *lock) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  need(pthread_mutex_init(lock, &attributes) == 0);
}

static void *hold(void *argument) {
  need(pthread_mutex_lock(&dies) == 0);
  pthread_barrier_wait(&locked);
  pthread_barrier_wait(&restored);
  return argument;
}

int main(void) {
  make(&lives);
  make(&dies);
  pthread_barrier_init(&locked, NULL, 2);
  pthread_barrier_init(&restored, NULL, 2);
  need(pthread_mutex_lock(&lives) == 0);
  pthread_t holder = start_thread(hold, NULL);
  pthread_barrier_wait(&locked);
  await_restore();
  check_equal(pthread_mutex_unlock(&lives), 0);
  check_equal(pthread_mutex_trylock(&dies), EBUSY);
  pthread_barrier_wait(&restored);
  result_of(holder);
  check_equal(pthread_mutex_lock(&dies), EOWNERDEAD);
  check_equal(pthread_mutex_consistent(&dies), 0);
  check_equal(pthread_mutex_unlock(&dies), 0);
}
