/*
 * locks that are held: normal, recursive, error-checking, adaptive, with priority inheritance, for reading and for writing
 * restored: map, read
 */
#include "state.h"

enum { NORMAL, RECURSIVE, CHECKING, ADAPTIVE, INHERITING, KINDS };
static pthread_mutex_t in_data[KINDS];
static pthread_rwlock_t read_held = PTHREAD_RWLOCK_INITIALIZER, write_held = PTHREAD_RWLOCK_INITIALIZER;
static atomic_int waiting, got;

static void make(pthread_mutex_t *lock, int kind) {
  static const int types[] = {PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_ERRORCHECK,
                              PTHREAD_MUTEX_ADAPTIVE_NP, PTHREAD_MUTEX_NORMAL};
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_settype(&attributes, types[kind]);
  if (kind == INHERITING) pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
  need(pthread_mutex_init(lock, &attributes) == 0);
}

static void *wait_for(void *lock) {
  atomic_fetch_add(&waiting, 1);
  check((errno = pthread_mutex_lock(lock)) == 0);
  atomic_fetch_add(&got, 1);
  check((errno = pthread_mutex_unlock(lock)) == 0);
  return lock;
}

static void *wait_to_write(void *lock) {
  atomic_fetch_add(&waiting, 1);
  check((errno = pthread_rwlock_wrlock(lock)) == 0);
  atomic_fetch_add(&got, 1);
  check((errno = pthread_rwlock_unlock(lock)) == 0);
  return lock;
}

int main(void) {
  pthread_mutex_t on_stack[KINDS], *on_heap = malloc(KINDS * sizeof *on_heap);
  pthread_mutex_t *places[] = {in_data, on_stack, on_heap};
  pthread_t threads[3 * KINDS];
  int count = 0;
  for (int place = 0; place < 3; place++)
    for (int kind = 0; kind < KINDS; kind++) {
      make(&places[place][kind], kind);
      need(pthread_mutex_lock(&places[place][kind]) == 0);
      /* Those that wait for other kinds are refused. */
      if (kind == NORMAL || kind == ADAPTIVE) threads[count++] = start_thread(wait_for, &places[place][kind]);
    }
  need(pthread_mutex_lock(&on_stack[RECURSIVE]) == 0);
  need(pthread_rwlock_rdlock(&read_held) == 0 && pthread_rwlock_wrlock(&write_held) == 0);
  threads[count++] = start_thread(wait_to_write, &read_held);
  threads[count++] = start_thread(wait_to_write, &write_held);
  while (waiting < count) usleep(100);
  usleep(2000);
  await_restore();
  check_equal(got, 0);
  check_equal(pthread_mutex_lock(&on_stack[CHECKING]), EDEADLK);
  check_equal(pthread_rwlock_wrlock(&write_held), EDEADLK);
  check_equal(pthread_mutex_lock(&on_stack[RECURSIVE]), 0);
  for (int round = 0; round < 2; round++) check_equal(pthread_mutex_unlock(&on_stack[RECURSIVE]), 0);
  for (int place = 0; place < 3; place++)
    for (int kind = 0; kind < KINDS; kind++) {
      int error = pthread_mutex_unlock(&places[place][kind]);
      if (error != 0) leave(1, "kind %d in place %d is not unlocked: %s", kind, place, strerror(error));
    }
  check_equal(pthread_mutex_unlock(&on_stack[CHECKING]), EPERM);
  check_equal(pthread_rwlock_unlock(&read_held), 0);
  check_equal(pthread_rwlock_unlock(&write_held), 0);
  for (int i = 0; i < count; i++) result_of(threads[i]);
  check_equal(got, count);
  check_equal(pthread_rwlock_trywrlock(&write_held), 0);
}
