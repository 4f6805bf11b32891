/* The native methods of jdk.crac.impl.Native; the JVM looks them up in the agent's library. */
#define _GNU_SOURCE
#include "agent.h"

#include <sys/syscall.h>
#include <unistd.h>

#define NATIVE(type, name) JNIEXPORT type JNICALL Java_jdk_crac_impl_Native_##name

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

NATIVE(void, closeDescriptor)(JNIEnv *env, jclass self, jint fd) {
  (void)env, (void)self;
  close(fd);
}

NATIVE(void, open)(JNIEnv *env, jclass self, jobject module, jstring package_name, jobject to) {
  (void)self;
  const char *name = (*env)->GetStringUTFChars(env, package_name, NULL);
  if (name) {
    (*crac_jvmti)->AddModuleOpens(crac_jvmti, module, name, to);
    (*env)->ReleaseStringUTFChars(env, package_name, name);
  }
}

NATIVE(jlong, residentBytes)(JNIEnv *env, jclass self) {
  (void)env, (void)self;
  return (jlong)crac_resident_bytes();
}

NATIVE(jboolean, awaitIdleCompilers)(JNIEnv *env, jclass self, jint limit_ms) {
  (void)env, (void)self;
  return crac_await_idle_compilers(limit_ms);
}

NATIVE(void, collect)(JNIEnv *env, jclass self) {
  (void)env, (void)self;
  crac_collect(false);
}

NATIVE(jstring, collectAndDropFreeHeap)(JNIEnv *env, jclass self, jlongArray told) {
  (void)self;
  struct crac_drop drop = crac_collect(true);
  const jlong numbers[] = {(jlong)drop.bytes, (jlong)drop.nanoseconds};
  (*env)->SetLongArrayRegion(env, told, 0, 2, numbers);
  return drop.obstacle ? (*env)->NewStringUTF(env, drop.obstacle) : NULL;
}

NATIVE(void, findGenerators)(JNIEnv *env, jclass self) {
  (void)self;
  crac_find_generators(env);
}

NATIVE(void, passCodeBarriers)(JNIEnv *env, jclass self) {
  (void)env, (void)self;
  crac_pass_code_barriers();
}

NATIVE(jboolean, trimMalloc)(JNIEnv *env, jclass self) {
  (void)env, (void)self;
  int (*trim)(size_t) = (int (*)(size_t))crac_jvm_symbol("malloc_trim"); /* glibc's only */
  if (trim)
    trim(0);
  return trim != NULL;
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
