/*
 * How many objects of each class the heap holds, as the diagnostic command GC.class_histogram tells. It is reached through the
 * interface that HotSpot exports to the JDK's own management (jmm.h): no class is loaded for it, no collection is made, and
 * one text is all the garbage. The interface is private; HotSpot gives it only to who asks for its exact version, and the
 * version says where a function stands.
 */
#include "agent.h"

static const struct {
  jint version;
  size_t place; /* of ExecuteDiagnosticCommand */
} known[] = {
    {0x20030000, 38}, /* JDK 14 to 20 */
    {0x20040000, 39}, /* JDK 21 to 25 */
};

/* Null: this JVM does not tell. */
JNIEXPORT jstring JNICALL Java_jdk_crac_impl_Native_classHistogram(JNIEnv *env, jclass self) {
  (void)self;
  void **(*find)(jint) = (void **(*)(jint))crac_jvm_symbol("JVM_GetManagement");
  for (size_t i = 0; find && i < sizeof known / sizeof *known; i++) {
    void **interface = find(known[i].version);
    jstring (*execute)(JNIEnv *, jstring) = interface ? (jstring(*)(JNIEnv *, jstring))interface[known[i].place] : NULL;
    jstring command = execute ? (*env)->NewStringUTF(env, "GC.class_histogram -all") : NULL; /* -all: without a collection */
    if (!command)
      continue;
    jstring text = execute(env, command);
    if (!(*env)->ExceptionCheck(env))
      return text;
    (*env)->ExceptionClear(env);
    return NULL;
  }
  return NULL;
}
