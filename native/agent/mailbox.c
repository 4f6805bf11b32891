/* The native methods of jdk.crac.impl.Native that deal with the mailbox, see mailbox.h. */
#define _GNU_SOURCE
#include "../mailbox.h"
#include "agent.h"

#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NATIVE(type, name) JNIEXPORT type JNICALL Java_jdk_crac_impl_Native_##name
#define NAP_MS 50
#define MAILBOX(address) ((struct crac_mailbox *)(uintptr_t)(address))

NATIVE(jlong, publishMailbox)(JNIEnv *env, jclass self) {
  (void)self;
  struct crac_mailbox *mailbox =
      mmap(NULL, CRAC_MAILBOX_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  uint64_t nonce = 0;
  if (mailbox == MAP_FAILED || syscall(SYS_getrandom, &nonce, sizeof nonce, 0) != sizeof nonce) {
    (*env)->ThrowNew(env, (*env)->FindClass(env, "java/lang/OutOfMemoryError"), "no memory for the mailbox");
    return 0;
  }
  mailbox->magic = CRAC_MAILBOX_MAGIC;
  mailbox->version = CRAC_MAILBOX_VERSION;
  mailbox->size = CRAC_MAILBOX_BYTES;
  mailbox->nonce = nonce;
  mailbox->state = CRAC_WAITING;
  return (jlong)(uintptr_t)mailbox;
}

NATIVE(jint, mailboxBytes)(JNIEnv *env, jclass self) {
  (void)env, (void)self;
  return (jint)CRAC_MAILBOX_BYTES;
}

NATIVE(jlong, mailboxNonce)(JNIEnv *env, jclass self, jlong mailbox) {
  (void)env, (void)self;
  return (jlong)MAILBOX(mailbox)->nonce;
}

/* Time is counted in naps: a process that is being dumped, or was restored years later, has not napped meanwhile. */
static uint32_t await_end(struct crac_mailbox *mailbox, jint limit_ms) {
  const struct timespec nap = {0, NAP_MS * 1000000L};
  uint32_t state;
  for (jint waited_ms = 0; (state = __atomic_load_n(&mailbox->state, __ATOMIC_ACQUIRE)) == CRAC_WAITING;
       waited_ms += NAP_MS) {
    if (waited_ms >= limit_ms) {
      uint32_t expected = CRAC_WAITING; /* from now on `ctl resume` comes too late */
      if (__atomic_compare_exchange_n(&mailbox->state, &expected, CRAC_NOT_CHECKPOINTED, false, __ATOMIC_ACQ_REL,
                                      __ATOMIC_ACQUIRE))
        return CRAC_WAITING;
      return expected;
    }
    syscall(SYS_futex, &mailbox->state, FUTEX_WAIT_PRIVATE, CRAC_WAITING, &nap, NULL, 0);
  }
  return state;
}

NATIVE(jint, awaitRestore)(JNIEnv *env, jclass self, jlong mailbox, jint limit_ms) {
  (void)self;
  uint32_t end = await_end(MAILBOX(mailbox), limit_ms);
  if (end == CRAC_RESTORED)
    crac_take_over(env, MAILBOX(mailbox));
  return (jint)end;
}

NATIVE(void, removeMailbox)(JNIEnv *env, jclass self, jlong mailbox) {
  (void)env, (void)self;
  munmap(MAILBOX(mailbox), CRAC_MAILBOX_BYTES);
}
