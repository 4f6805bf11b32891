/*
 * a thread that waits for a recursive lock: the C library has noted its id, as which it would take the lock
 * refused: thread * (waiter): it waits for a lock that tells its owner by thread id. Take the checkpoint again, when no thread holds such a lock for long
 */
#include <sys/prctl.h>

#include "state.h"

static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static _Atomic pid_t tid;

static void *run(void *argument) {
  prctl(PR_SET_NAME, "waiter");
  tid = gettid();
  pthread_mutex_lock(&lock);
  return argument;
}

int main(void) {
  pthread_mutex_lock(&lock);
  start_thread(run, NULL);
  while (tid == 0) usleep(100);
  await_system_call(tid, SYS_futex);
  await_restore();
}
