/* Threads that belong to the JVM only while they call into it. */
#include "agent.h"

#include <signal.h>

CRAC_OLD_SYMBOL(pthread_create);
CRAC_OLD_SYMBOL(pthread_attr_setstacksize);

#define STACK_BYTES (1u << 20)

bool crac_start_thread(pthread_t *thread, void *(*run)(void *argument), void *argument) {
  pthread_attr_t attributes;
  sigset_t all, before;
  sigfillset(&all);
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, STACK_BYTES);
  sigprocmask(SIG_SETMASK, &all, &before); /* signals are the JVM's; the new thread inherits the mask */
  int error = pthread_create(thread, &attributes, run, argument);
  sigprocmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  return error == 0;
}
