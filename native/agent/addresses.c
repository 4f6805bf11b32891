/*
 * The JDK remembers the addresses of host names, for 30 s as a rule and for ever where networkaddress.cache.ttl says so,
 * by a clock that goes on over a restore. Another container finds others under the same names. InetAddress.cache is the
 * same map from JDK 17 to 25; what another JDK does not have is left alone.
 */
#include "agent.h"

void crac_forget_addresses(JNIEnv *env) {
  jclass class = crac_find_boot_class(env, "java/net/InetAddress"), map = crac_find_boot_class(env, "java/util/Map");
  jint status = 0;
  /* Asking for a static field would initialize the class. */
  if (class && map && !(*crac_jvmti)->GetClassStatus(crac_jvmti, class, &status) && (status & JVMTI_CLASS_STATUS_INITIALIZED)) {
    jmethodID clear = (*env)->GetMethodID(env, map, "clear", "()V");
    jfieldID field = clear ? (*env)->GetStaticFieldID(env, class, "cache", "Ljava/util/concurrent/ConcurrentMap;") : NULL;
    jobject cache = field ? (*env)->GetStaticObjectField(env, class, field) : NULL;
    if (cache)
      (*env)->CallVoidMethod(env, cache, clear);
    (*env)->DeleteLocalRef(env, cache);
  }
  (*env)->ExceptionClear(env);
  (*env)->DeleteLocalRef(env, class);
  (*env)->DeleteLocalRef(env, map);
}
