/* The native methods of jdk.crac.impl.Native; the JVM looks them up in the agent's library. */
#define _GNU_SOURCE
#include "agent.h"
#include "../mailbox.h"

#include <dlfcn.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

#define NATIVE(type, name) JNIEXPORT type JNICALL Java_jdk_crac_impl_Native_##name
#define NAP_MS 50
#define MAILBOX(address) ((struct crac_mailbox *)(uintptr_t)(address))

NATIVE(jstring, obstacle)(JNIEnv *env, jclass self) {
  (void)self;
  return crac_obstacle ? (*env)->NewStringUTF(env, crac_obstacle) : NULL;
}

NATIVE(jint, processId)(JNIEnv *env, jclass self) {
  (void)env, (void)self;
  return (jint)syscall(SYS_getpid);
}

NATIVE(jstring, collector)(JNIEnv *env, jclass self) {
  (void)self;
  return (*env)->NewStringUTF(env, crac_collector());
}

NATIVE(jlong, nanoOffsetAddress)(JNIEnv *env, jclass self) {
  (void)env, (void)self;
  return (jlong)(uintptr_t)&crac_nano_offset;
}

NATIVE(void, open)(JNIEnv *env, jclass self, jobject module, jstring package_name, jobject to) {
  (void)self;
  const char *name = (*env)->GetStringUTFChars(env, package_name, NULL);
  if (name) {
    (*crac_jvmti)->AddModuleOpens(crac_jvmti, module, name, to);
    (*env)->ReleaseStringUTFChars(env, package_name, name);
  }
}

NATIVE(void, awaitIdleCompilers)(JNIEnv *env, jclass self, jint limit_ms) {
  (void)env, (void)self;
  crac_await_idle_compilers(limit_ms);
}

NATIVE(jlong, collectAndDropFreeHeap)(JNIEnv *env, jclass self) {
  (void)self;
  return (jlong)crac_collect_and_drop(env);
}

NATIVE(void, trimMalloc)(JNIEnv *env, jclass self) {
  (void)env, (void)self;
  int (*trim)(size_t) = (int (*)(size_t))crac_jvm_symbol("malloc_trim"); /* glibc's only */
  if (trim)
    trim(0);
}

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
NATIVE(jint, awaitRestore)(JNIEnv *env, jclass self, jlong address, jint limit_ms) {
  (void)env, (void)self;
  struct crac_mailbox *mailbox = MAILBOX(address);
  const struct timespec nap = {0, NAP_MS * 1000000L};
  uint32_t state;
  for (jint waited_ms = 0; (state = __atomic_load_n(&mailbox->state, __ATOMIC_ACQUIRE)) == CRAC_WAITING;
       waited_ms += NAP_MS) {
    if (waited_ms >= limit_ms) {
      uint32_t expected = CRAC_WAITING; /* from now on `ctl resume` comes too late */
      if (__atomic_compare_exchange_n(&mailbox->state, &expected, CRAC_NOT_CHECKPOINTED, false, __ATOMIC_ACQ_REL,
                                      __ATOMIC_ACQUIRE))
        return CRAC_WAITING;
      return (jint)expected;
    }
    syscall(SYS_futex, &mailbox->state, FUTEX_WAIT_PRIVATE, CRAC_WAITING, &nap, NULL, 0);
  }
  return (jint)state;
}

/* String number `first` and those after it, `count` in all; shorter when the data end before. */
static jobjectArray strings(JNIEnv *env, struct crac_mailbox *mailbox, uint32_t first, uint32_t count) {
  jclass bytes = (*env)->FindClass(env, "[B");
  jobjectArray array = bytes ? (*env)->NewObjectArray(env, (jsize)count, bytes, NULL) : NULL;
  const char *at = mailbox->data, *end = mailbox->data + mailbox->data_size;
  for (uint32_t i = 0; array && i < first + count; i++) {
    size_t length = at < end ? strnlen(at, (size_t)(end - at)) : 0;
    if (i >= first) {
      jbyteArray string = (*env)->NewByteArray(env, (jsize)length);
      if (!string)
        return NULL;
      (*env)->SetByteArrayRegion(env, string, 0, (jsize)length, (const jbyte *)at);
      (*env)->SetObjectArrayElement(env, array, (jsize)(i - first), string);
      (*env)->DeleteLocalRef(env, string);
    }
    at += at < end ? length + 1 : 0;
  }
  return array;
}

NATIVE(jobjectArray, arguments)(JNIEnv *env, jclass self, jlong mailbox) {
  (void)self;
  return strings(env, MAILBOX(mailbox), 0, MAILBOX(mailbox)->argc);
}

static bool add_change(JNIEnv *env, jobjectArray array, jsize *used, char kind, const char *text, size_t length) {
  jbyteArray string = (*env)->NewByteArray(env, (jsize)length + 1);
  if (!string)
    return false;
  (*env)->SetByteArrayRegion(env, string, 0, 1, (const jbyte *)&kind);
  (*env)->SetByteArrayRegion(env, string, 1, (jsize)length, (const jbyte *)text);
  (*env)->SetObjectArrayElement(env, array, (*used)++, string);
  (*env)->DeleteLocalRef(env, string);
  return true;
}

static size_t name_length(const char *variable) {
  return *variable ? 1 + strcspn(variable + 1, "=") : 0; /* a name may begin with '=' */
}

static const char *find_variable(char **environment, const char *like) {
  size_t length = name_length(like);
  for (; environment && *environment; environment++)
    if (name_length(*environment) == length && memcmp(*environment, like, length) == 0)
      return *environment;
  return NULL;
}

static size_t count_variables(char **environment) {
  size_t count = 0;
  while (environment && environment[count])
    count++;
  return count;
}

/* +NAME=value for what is added, ~NAME=value for what is changed, -NAME for what is gone; the rest of the array is null. */
static jobjectArray list_changes(JNIEnv *env, char **old, char **fresh) {
  jclass bytes = (*env)->FindClass(env, "[B");
  jsize used = 0;
  jobjectArray array =
      bytes ? (*env)->NewObjectArray(env, (jsize)(count_variables(old) + count_variables(fresh)), bytes, NULL) : NULL;
  for (char **variable = fresh; array && *variable; variable++) {
    const char *before = find_variable(old, *variable);
    if ((!before || strcmp(before, *variable) != 0) && !add_change(env, array, &used, before ? '~' : '+', *variable, strlen(*variable)))
      return NULL;
  }
  for (char **variable = old; array && variable && *variable; variable++)
    if (!find_variable(fresh, *variable) && !add_change(env, array, &used, '-', *variable, name_length(*variable)))
      return NULL;
  return array;
}

/* The old environment is left alone: other threads may be reading it. */
NATIVE(jobjectArray, takeEnvironment)(JNIEnv *env, jclass self, jlong address) {
  (void)self;
  struct crac_mailbox *mailbox = MAILBOX(address);
  char **old = environ, **fresh = calloc(mailbox->envc + 1, sizeof *fresh);
  char *data = malloc(mailbox->data_size + 1);
  if (!fresh || !data) {
    (*env)->ThrowNew(env, (*env)->FindClass(env, "java/lang/OutOfMemoryError"), "no memory for the environment");
    return NULL;
  }
  memcpy(data, mailbox->data, mailbox->data_size);
  data[mailbox->data_size] = 0;
  char *at = data, *end = data + mailbox->data_size;
  uint32_t used = 0;
  for (uint32_t i = 0; i < mailbox->argc + mailbox->envc && at < end; i++, at += strlen(at) + 1)
    if (i >= mailbox->argc && strchr(at, '=') && !find_variable(fresh, at))
      fresh[used++] = at;
  environ = fresh;
  return list_changes(env, old, fresh);
}

NATIVE(jlong, restoreBeganMs)(JNIEnv *env, jclass self, jlong mailbox) {
  (void)env, (void)self;
  return (jlong)(MAILBOX(mailbox)->restore_started_ns / 1000000);
}

/* Whoever has taken over what the mailbox holds lets the app's threads go on. */
static void open_gate(const struct crac_mailbox *mailbox) {
  uint32_t *gate = (uint32_t *)(uintptr_t)mailbox->gate;
  if (mailbox->state != CRAC_RESTORED || !gate) return;
  __atomic_store_n(gate, 1, __ATOMIC_RELEASE);
  syscall(SYS_futex, gate, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

NATIVE(void, removeMailbox)(JNIEnv *env, jclass self, jlong mailbox) {
  (void)env, (void)self;
  open_gate(MAILBOX(mailbox));
  munmap(MAILBOX(mailbox), CRAC_MAILBOX_BYTES);
}

NATIVE(void, closeChannel)(JNIEnv *env, jclass self) {
  (void)env, (void)self;
  crac_close_channel();
}

NATIVE(void, openChannel)(JNIEnv *env, jclass self) {
  (void)env, (void)self;
  crac_open_channel();
}

NATIVE(jboolean, hasGone)(JNIEnv *env, jclass self, jint connection) {
  (void)env, (void)self;
  return crac_has_gone(connection);
}

NATIVE(jboolean, reply)(JNIEnv *env, jclass self, jint connection, jstring text) {
  (void)self;
  const char *line = (*env)->GetStringUTFChars(env, text, NULL);
  if (!line) {
    close(connection);
    return JNI_FALSE;
  }
  bool sent = crac_send_text(connection, line);
  (*env)->ReleaseStringUTFChars(env, text, line);
  return sent;
}
