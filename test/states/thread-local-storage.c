/*
 * thread-local variables, errno and thread-specific keys with their destructors
 * restored: map, read
 */
#include "state.h"

#define COUNT 3
static _Thread_local int initialised = 42;
static _Thread_local uint64_t zeroed[64];
static pthread_key_t key;
static atomic_int destroyed;
static pthread_barrier_t ready, restored;

static void destroy(void *value) { atomic_fetch_add(&destroyed, *(int *)value); }

static void *run(void *number) {
  int index = *(int *)number;
  initialised += index;
  zeroed[63] = (uint64_t)index << 40;
  pthread_setspecific(key, number);
  pthread_barrier_wait(&ready);
  errno = 1000 + index;
  int *own_errno = &errno;
  pthread_barrier_wait(&restored);
  return initialised == 42 + index && zeroed[63] == (uint64_t)index << 40 && zeroed[0] == 0 && own_errno == &errno &&
                 pthread_getspecific(key) == number
             ? number
             : NULL;
}

int main(void) {
  static int numbers[COUNT] = {1, 10, 100};
  pthread_t threads[COUNT];
  need(pthread_key_create(&key, destroy) == 0);
  pthread_barrier_init(&ready, NULL, COUNT + 1);
  pthread_barrier_init(&restored, NULL, COUNT + 1);
  for (int i = 0; i < COUNT; i++) threads[i] = start_thread(run, &numbers[i]);
  pthread_barrier_wait(&ready);
  await_restore();
  pthread_barrier_wait(&restored);
  for (int i = 0; i < COUNT; i++) check(result_of(threads[i]) == &numbers[i]);
  check_equal(destroyed, 111);
  check_equal(initialised, 42);
}
