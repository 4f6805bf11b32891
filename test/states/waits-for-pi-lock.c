/*
 * a thread that waits for a lock with priority inheritance
 * refused: thread * (waiter): it waits for a priority-inheritance lock. Use ordinary locks
 */
#include <sys/prctl.h>

#include "state.h"

static pthread_mutex_t lock;
static _Atomic pid_t tid;

static void *run(void *argument) {
  prctl(PR_SET_NAME, "waiter");
  tid = gettid();
  pthread_mutex_lock(&lock);
  return argument;
}

int main(void) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
  need(pthread_mutex_init(&lock, &attributes) == 0 && pthread_mutex_lock(&lock) == 0);
  start_thread(run, NULL);
  while (tid == 0) usleep(100);
  await_system_call(tid, SYS_futex);
  await_restore();
}
