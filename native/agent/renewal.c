/* The native methods of jdk.crac.impl.Renewal. */
#define _GNU_SOURCE
#include "agent.h"
#include "../mailbox.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define NATIVE(type, name) JNIEXPORT type JNICALL Java_jdk_crac_impl_Renewal_##name

NATIVE(jint, reseed)(JNIEnv *env, jclass self) {
  (void)self;
  int count = crac_reseed_generators(env);
  crac_move_timers(env);
  return count;
}

NATIVE(void, forget)(JNIEnv *env, jclass self) {
  (void)self;
  crac_forget_generators(env);
  crac_forget_timers(env);
}

NATIVE(void, showPerfData)(JNIEnv *env, jclass self) {
  (void)env, (void)self;
  crac_show_perf_data();
}

NATIVE(void, showToTools)(JNIEnv *env, jclass self) {
  (void)env, (void)self;
  crac_remove_stale_attach_file();
  crac_show_perf_data_soon();
}

NATIVE(jboolean, hidePerfData)(JNIEnv *env, jclass self) {
  (void)env, (void)self;
  return crac_hide_perf_data();
}

NATIVE(jlong, maxHeapBytes)(JNIEnv *env, jclass self) {
  (void)env, (void)self;
  return (jlong)crac_vm_number("MaxHeapSize");
}

static bool add_string(struct crac_mailbox *mailbox, const char *text) {
  size_t size = strlen(text) + 1;
  if (size > CRAC_MAILBOX_BYTES - sizeof *mailbox - mailbox->data_size)
    return false;
  memcpy(mailbox->data + mailbox->data_size, text, size);
  mailbox->data_size += (uint32_t)size;
  return true;
}

NATIVE(jlong, rehearsalMailbox)(JNIEnv *env, jclass self, jstring argument) {
  (void)self;
  struct crac_mailbox *mailbox =
      mmap(NULL, CRAC_MAILBOX_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  const char *text = (*env)->GetStringUTFChars(env, argument, NULL);
  if (mailbox == MAP_FAILED || !text) {
    (*env)->ThrowNew(env, (*env)->FindClass(env, "java/lang/OutOfMemoryError"), "no memory for the mailbox");
    return 0;
  }
  mailbox->argc = add_string(mailbox, text);
  (*env)->ReleaseStringUTFChars(env, argument, text);
  for (char **variable = environ; variable && *variable && add_string(mailbox, *variable); variable++)
    mailbox->envc++;
  return (jlong)(uintptr_t)mailbox;
}
