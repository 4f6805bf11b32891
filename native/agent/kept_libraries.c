/*
 * Some libraries unpack their native part into a temporary file and delete it as soon as it is mapped: no dump could name
 * it, and no restore map it again. They are told to let it lie until the JVM ends, unless the app's own options say
 * otherwise.
 */
#include "agent.h"

static const char *const SETTINGS[][2] = {
    {"io.netty.native.deleteLibAfterLoading", "false"},
    {"org.conscrypt.native.deleteLibAfterLoading", "false"},
    {"jnidispatch.preserve", "true"}, /* JNA */
};

void crac_keep_libraries(JNIEnv *env) {
  jclass system = crac_find_boot_class(env, "java/lang/System"), map = crac_find_boot_class(env, "java/util/Map");
  jmethodID get = (*env)->GetStaticMethodID(env, system, "getProperties", "()Ljava/util/Properties;");
  jmethodID put =
      (*env)->GetMethodID(env, map, "putIfAbsent", "(Ljava/lang/Object;Ljava/lang/Object;)Ljava/lang/Object;");
  jobject properties = (*env)->CallStaticObjectMethod(env, system, get);
  for (size_t i = 0; i < sizeof SETTINGS / sizeof *SETTINGS && !(*env)->ExceptionCheck(env); i++) {
    jstring name = (*env)->NewStringUTF(env, SETTINGS[i][0]);
    jstring value = name ? (*env)->NewStringUTF(env, SETTINGS[i][1]) : NULL;
    if (value)
      (*env)->CallObjectMethod(env, properties, put, name, value);
  }
  if ((*env)->ExceptionCheck(env))
    (*env)->ExceptionClear(env);
}
