/*
 * The native methods of jdk.crac.impl.Lookout: a thread that sleeps until an afterRestore has taken too long. Not a Java
 * thread: one that is made right after a restore takes processors and page faults that the first request needs.
 */
#define _GNU_SOURCE
#include "agent.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

CRAC_OLD_SYMBOL(pthread_join);

#define NATIVE(type, name) JNIEXPORT type JNICALL Java_jdk_crac_impl_Lookout_##name

struct lookout {
  pthread_t thread;
  jobject watched; /* global reference to the Lookout */
  jlong first_look_ms;
  uint32_t ended; /* futex word */
};

/* True: the time is up. */
static bool sleep_unless_ended(struct lookout *lookout, jlong ms) {
  const struct timespec limit = {ms / 1000, ms % 1000 * 1000000};
  while (!__atomic_load_n(&lookout->ended, __ATOMIC_ACQUIRE))
    if (syscall(SYS_futex, &lookout->ended, FUTEX_WAIT_PRIVATE, 0, &limit, NULL, 0) && errno == ETIMEDOUT)
      return true;
  return false;
}

/* Milliseconds until the next look; 0: never. */
static jlong look(jobject watched) {
  JNIEnv *env = NULL;
  JavaVMAttachArgs self = {JNI_VERSION_9, (char *)"crac lookout", NULL};
  if ((*crac_vm)->AttachCurrentThreadAsDaemon(crac_vm, (void **)&env, &self) != JNI_OK)
    return 0;
  jmethodID method = (*env)->GetMethodID(env, (*env)->GetObjectClass(env, watched), "look", "()J");
  jlong next_ms = method ? (*env)->CallLongMethod(env, watched, method) : 0;
  if ((*env)->ExceptionCheck(env)) {
    (*env)->ExceptionDescribe(env);
    (*env)->ExceptionClear(env);
    next_ms = 0;
  }
  (*crac_vm)->DetachCurrentThread(crac_vm);
  return next_ms;
}

static void *run(void *argument) {
  struct lookout *lookout = argument;
  for (jlong ms = lookout->first_look_ms; ms > 0 && sleep_unless_ended(lookout, ms);)
    ms = look(lookout->watched);
  return NULL;
}

/* 0: there is no thread to be had, and nothing is told. */
NATIVE(jlong, start)(JNIEnv *env, jobject self, jlong first_look_ms) {
  struct lookout *lookout = calloc(1, sizeof *lookout);
  if (!lookout)
    return 0;
  lookout->first_look_ms = first_look_ms;
  lookout->watched = (*env)->NewGlobalRef(env, self);
  if (lookout->watched && crac_start_thread(&lookout->thread, run, lookout))
    return (jlong)(uintptr_t)lookout;
  (*env)->DeleteGlobalRef(env, lookout->watched);
  free(lookout);
  return 0;
}

/* Returns when the thread has ended: it must not be in the next dump. */
NATIVE(void, end)(JNIEnv *env, jclass self, jlong handle) {
  (void)self;
  struct lookout *lookout = (struct lookout *)(uintptr_t)handle;
  if (!lookout)
    return;
  __atomic_store_n(&lookout->ended, 1, __ATOMIC_RELEASE);
  syscall(SYS_futex, &lookout->ended, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
  pthread_join(lookout->thread, NULL);
  (*env)->DeleteGlobalRef(env, lookout->watched);
  free(lookout);
}
