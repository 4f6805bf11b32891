/* The library of a JVM that the agent does not know: it has nothing of HotSpot but JNI and, when wanted, JVMTI. */
#include <jni.h>
#include <jvmti.h>
#include <stddef.h>
#include <stdio.h>

int fake_has_jvmti;
static jvmtiEventCallbacks callbacks;

static jvmtiError JNICALL set_callbacks(jvmtiEnv *env, const jvmtiEventCallbacks *wanted, jint size) {
  (void)env, (void)size;
  callbacks = *wanted;
  return JVMTI_ERROR_NONE;
}

static jvmtiError JNICALL set_mode(jvmtiEnv *env, jvmtiEventMode mode, jvmtiEvent event, jthread thread, ...) {
  (void)env, (void)thread;
  printf("event %d mode %d callback %d\n", event, mode, callbacks.VMInit != NULL);
  return JVMTI_ERROR_NONE;
}

static struct jvmtiInterface_1_ jvmti = {.SetEventCallbacks = set_callbacks, .SetEventNotificationMode = set_mode};
static struct jvmtiInterface_1_ *jvmti_env = &jvmti;

static jstring JNICALL new_string(JNIEnv *env, const char *text) {
  (void)env;
  return (jstring)text;
}

static struct JNINativeInterface_ jni = {.NewStringUTF = new_string};
static struct JNINativeInterface_ *jni_env = &jni;

static jint JNICALL get_env(JavaVM *vm, void **env, jint version) {
  (void)vm;
  const int wants_jvmti = (version & 0x30000000) != 0;
  if (wants_jvmti && !fake_has_jvmti)
    return JNI_EVERSION;
  *env = wants_jvmti ? (void *)&jvmti_env : (void *)&jni_env;
  return JNI_OK;
}

static struct JNIInvokeInterface_ invoke = {.GetEnv = get_env};
struct JNIInvokeInterface_ *fake_vm = &invoke;
JNIEnv *fake_env = (JNIEnv *)&jni_env;
