/*
 * What the app must not see the old of: random numbers, environment, process id, -D properties. Its threads are held back
 * until then, and so is the first answer. In a restored process each page that is touched costs a page fault, and looking
 * anything up by name touches many. So this is C, what it needs of Java is looked up and used once before the checkpoint,
 * and what nobody waits for comes after the threads were let go.
 */
#define _GNU_SOURCE
#include "../mailbox.h"
#include "agent.h"
#include "environment.h"

#include <limits.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NATIVE(type, name) JNIEXPORT type JNICALL Java_jdk_crac_impl_##name
#define REHEARSALS 3
/* So often that the JIT compiles what changes the map: compiled code touches less, and no compilation begins meanwhile. */
#define REHEARSED_CHANGES 20000

/* Global references and what goes with them. A JDK that is built in another way: `is_known` is false. */
static struct {
  bool is_known;
  jobject environment; /* the map behind System.getenv() and ProcessBuilder.environment() */
  jclass name_class, value_class;
  jmethodID name_of, value_of, put, remove;
  jclass process_class;
  jobject process; /* ProcessHandle.current(): to isAlive() it is a process with this id and this start time */
  jfieldID process_id, process_start;
  jmethodID start_of;
  jclass restored_class;
  jmethodID set_property;
} java;

/* The restored process: its arguments, and what is told of it. */
static struct {
  char *text;
  const char *end;
  uint32_t argument_count;
  int seeds;
  int64_t reseeded_us, done_us;
  volatile int64_t epoch_ms, nanos; /* when the restore began, by both clocks */
} restored = {.epoch_ms = -1};

static bool failed(JNIEnv *env) {
  if (!(*env)->ExceptionCheck(env))
    return false;
  (*env)->ExceptionClear(env);
  return true;
}

static jobject keep(JNIEnv *env, jobject local) {
  jobject kept = local ? (*env)->NewGlobalRef(env, local) : NULL;
  (*env)->DeleteLocalRef(env, local);
  return kept;
}
static jclass keep_class(JNIEnv *env, const char *name) { return keep(env, crac_find_boot_class(env, name)); }

static jobject keep_static(JNIEnv *env, jclass class, const char *name, const char *type) {
  jfieldID field = (*env)->GetStaticFieldID(env, class, name, type);
  return field ? keep(env, (*env)->GetStaticObjectField(env, class, field)) : NULL;
}

#define ENVIRONMENT "java/lang/ProcessEnvironment"
#define PROCESS "java/lang/ProcessHandleImpl"

static bool find_environment(JNIEnv *env) {
  jclass class = crac_find_boot_class(env, ENVIRONMENT), map = crac_find_boot_class(env, "java/util/HashMap");
  bool found =
      class && map && (java.environment = keep_static(env, class, "theEnvironment", "Ljava/util/HashMap;")) &&
      (java.put = (*env)->GetMethodID(env, map, "put", "(Ljava/lang/Object;Ljava/lang/Object;)Ljava/lang/Object;")) &&
      (java.remove = (*env)->GetMethodID(env, map, "remove", "(Ljava/lang/Object;)Ljava/lang/Object;")) &&
      (java.name_class = keep_class(env, ENVIRONMENT "$Variable")) &&
      (java.value_class = keep_class(env, ENVIRONMENT "$Value")) &&
      (java.name_of = (*env)->GetStaticMethodID(env, java.name_class, "valueOf", "([B)L" ENVIRONMENT "$Variable;")) &&
      (java.value_of = (*env)->GetStaticMethodID(env, java.value_class, "valueOf", "([B)L" ENVIRONMENT "$Value;"));
  (*env)->DeleteLocalRef(env, class);
  (*env)->DeleteLocalRef(env, map);
  return found;
}

static bool find_process(JNIEnv *env) {
  return (java.process_class = keep_class(env, PROCESS)) &&
         (java.process = keep_static(env, java.process_class, "current", "L" PROCESS ";")) &&
         (java.process_id = (*env)->GetFieldID(env, java.process_class, "pid", "J")) &&
         (java.process_start = (*env)->GetFieldID(env, java.process_class, "startTime", "J")) &&
         (java.start_of = (*env)->GetStaticMethodID(env, java.process_class, "isAlive0", "(J)J"));
}

/* What is found stays valid for as long as the JVM lives. */
static bool find_internals(JNIEnv *env) {
  if (!java.restored_class && (java.restored_class = keep_class(env, "jdk/crac/impl/Restored")))
    java.set_property = (*env)->GetStaticMethodID(env, java.restored_class, "setProperty", "([B)V");
  if (!java.is_known)
    java.is_known = find_environment(env) && find_process(env);
  return !failed(env) && java.is_known;
}

static void warn_of_jdk(void) {
  crac_warn("this JDK's environment or process id cannot be replaced");
}

static jbyteArray to_bytes(JNIEnv *env, const char *text, size_t length) {
  jbyteArray bytes = (*env)->NewByteArray(env, (jsize)length);
  if (bytes)
    (*env)->SetByteArrayRegion(env, bytes, 0, (jsize)length, (const jbyte *)text);
  return bytes;
}

static jobject value_of(JNIEnv *env, jclass class, jmethodID factory, const char *text, size_t length) {
  jbyteArray bytes = to_bytes(env, text, length);
  jobject value = bytes ? (*env)->CallStaticObjectMethod(env, class, factory, bytes) : NULL;
  (*env)->DeleteLocalRef(env, bytes);
  return (*env)->ExceptionCheck(env) ? NULL : value;
}

/* Java's map is changed in place, for all hold on to it, and only where it differs: threads read it without a lock. */
struct target {
  JNIEnv *env;
  jobject map;
};
static void change_map(void *context, enum crac_change change, const char *variable, size_t name_length) {
  JNIEnv *env = ((struct target *)context)->env;
  jobject map = ((struct target *)context)->map, value = NULL, old = NULL;
  jobject name = value_of(env, java.name_class, java.name_of, variable, name_length);
  if (name && change == CRAC_REMOVED) {
    old = (*env)->CallObjectMethod(env, map, java.remove, name);
  } else if (name) {
    const char *text = variable + name_length + 1;
    if ((value = value_of(env, java.value_class, java.value_of, text, strlen(text))))
      old = (*env)->CallObjectMethod(env, map, java.put, name, value);
  }
  if (failed(env))
    warn_of_jdk();
  (*env)->DeleteLocalRef(env, old);
  (*env)->DeleteLocalRef(env, value);
  (*env)->DeleteLocalRef(env, name);
}

static void renew_process_id(JNIEnv *env) {
  jlong id = (jlong)syscall(SYS_getpid);
  jlong start = (*env)->CallStaticLongMethod(env, java.process_class, java.start_of, id);
  if (failed(env)) {
    warn_of_jdk();
    return;
  }
  (*env)->SetLongField(env, java.process, java.process_id, id);
  (*env)->SetLongField(env, java.process, java.process_start, start);
}

static void set_property(JNIEnv *env, const char *argument) {
  jbyteArray bytes = java.set_property ? to_bytes(env, argument, strlen(argument)) : NULL;
  if (bytes)
    (*env)->CallStaticVoidMethod(env, java.restored_class, java.set_property, bytes);
  if ((*env)->ExceptionCheck(env)) {
    (*env)->ExceptionDescribe(env);
    (*env)->ExceptionClear(env);
  }
  (*env)->DeleteLocalRef(env, bytes);
}

static const char *next_string(const char *at) { return at + strlen(at) + 1; }

static void set_properties(JNIEnv *env) {
  const char *argument = restored.text;
  for (uint32_t i = 0; i < restored.argument_count && argument < restored.end; i++, argument = next_string(argument))
    if (argument[0] == '-' && argument[1] == 'D')
      set_property(env, argument);
}

/* Not freed: it is C's environment from now on. */
static bool copy_strings(const struct crac_mailbox *mailbox) {
  char *text = malloc((size_t)mailbox->data_size + 1);
  restored.argument_count = text ? mailbox->argc : 0;
  if (!(restored.text = text))
    return false;
  memcpy(restored.text, mailbox->data, mailbox->data_size);
  restored.text[mailbox->data_size] = 0;
  restored.end = restored.text + mailbox->data_size;
  return crac_replace_environment(restored.text, restored.end, mailbox->argc, mailbox->envc);
}

static void note_restore_time(const struct crac_mailbox *mailbox) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  int64_t now_ms = now.tv_sec * 1000LL + now.tv_nsec / 1000000, began_ms = mailbox->restore_started_ns / 1000000;
  int64_t epoch_ms = began_ms > 0 && began_ms <= now_ms ? began_ms : now_ms;
  restored.nanos = crac_nano_time() - (now_ms - epoch_ms) * 1000000;
  restored.epoch_ms = epoch_ms;
}

static void open_gate(const struct crac_mailbox *mailbox) {
  uint32_t *gate = (uint32_t *)(uintptr_t)mailbox->gate;
  if (!gate)
    return;
  __atomic_store_n(gate, 1, __ATOMIC_RELEASE);
  syscall(SYS_futex, gate, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

/* In the restored process, before anything else. */
void crac_take_over(JNIEnv *env, const struct crac_mailbox *mailbox) {
  int64_t began = crac_nano_time();
  restored.seeds = crac_reseed_generators(env);
  crac_move_timers(env);
  restored.reseeded_us = (crac_nano_time() - began) / 1000;
  struct target target = {env, java.environment};
  if (!copy_strings(mailbox)) {
    crac_warn("no memory for the environment: the app goes on with that of the build");
  } else {
    if (java.is_known)
      crac_each_change(change_map, &target);
    set_properties(env);
  }
  if (java.is_known)
    renew_process_id(env);
  note_restore_time(mailbox);
  restored.done_us = (crac_nano_time() - began) / 1000;
  open_gate(mailbox);
}

static jobject copy_environment(JNIEnv *env) {
  jclass map = crac_find_boot_class(env, "java/util/HashMap");
  jmethodID copy = map ? (*env)->GetMethodID(env, map, "<init>", "(Ljava/util/Map;)V") : NULL;
  jobject copied = copy ? (*env)->NewObject(env, map, copy, java.environment) : NULL;
  return failed(env) ? NULL : copied;
}

/* Takes all variables out of the map and puts them back; returns how many changes that were. */
static int rehearse_changes(struct target *target) {
  int changes = 0;
  for (char **variable = environ; variable && *variable; variable++)
    for (int change = 0; change < 2 && strchr(*variable, '='); change++, changes++)
      change_map(target, change ? CRAC_ADDED : CRAC_REMOVED, *variable, 1 + strcspn(*variable + 1, "="));
  return changes;
}

/* All of the above that goes into Java, with a copy of the map and a property that is cleared again. */
NATIVE(void, Renewal_rehearseTakeOver)(JNIEnv *env, jclass self, jstring property) {
  (void)self;
  bool is_known = find_internals(env);
  if (!is_known)
    warn_of_jdk();
  struct target target = {env, is_known ? copy_environment(env) : NULL};
  const char *argument = (*env)->GetStringUTFChars(env, property, NULL);
  for (int i = 0; i < REHEARSALS && argument; i++) {
    crac_reseed_generators(env); /* there is nothing to be reseeded yet */
    crac_move_timers(env);
    set_property(env, argument);
    if (is_known)
      renew_process_id(env);
  }
  for (int changes = 0, more = 1; target.map && changes < REHEARSED_CHANGES && more > 0; changes += more)
    more = rehearse_changes(&target);
  if (argument)
    (*env)->ReleaseStringUTFChars(env, property, argument);
}

static void note_change(void *context, enum crac_change change, const char *variable, size_t name_length) {
  JNIEnv *env = context;
  jmethodID note = (*env)->GetStaticMethodID(env, java.restored_class, "noteVariable", "([BC)V");
  jbyteArray name = note ? to_bytes(env, variable, name_length) : NULL;
  if (name)
    (*env)->CallStaticVoidMethod(env, java.restored_class, note, name, (jint)change);
  failed(env);
  (*env)->DeleteLocalRef(env, name);
}

/* Later, when the app's threads go on. True: CRAC_LOG=debug, and Restored knows which variables have changed. */
NATIVE(jboolean, Restored_tell)(JNIEnv *env, jclass self) {
  (void)self;
  const char *log = getenv("CRAC_LOG");
  if (!log || strcmp(log, "debug") != 0)
    return JNI_FALSE;
  fprintf(stderr, "crac: %d generators and threads have new seeds, after %d us; all taken over after %d us\n",
          restored.seeds, (int)restored.reseeded_us, (int)restored.done_us);
  crac_each_change(note_change, env);
  return JNI_TRUE;
}

NATIVE(void, Restored_warnOfOptions)(JNIEnv *env, jclass self) {
  (void)env, (void)self;
  crac_warn_of_options(restored.text, restored.end, restored.argument_count);
}

NATIVE(jlong, RestoreTime_epochMs)(JNIEnv *env, jclass self) {
  (void)env, (void)self;
  return restored.epoch_ms;
}

/* Not the difference of two wall clocks, which somebody may set. */
NATIVE(jlong, RestoreTime_uptimeMs)(JNIEnv *env, jclass self) {
  (void)env, (void)self;
  return restored.epoch_ms < 0 ? -1 : (crac_nano_time() - restored.nanos) / 1000000;
}
