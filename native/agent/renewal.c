/* The native methods of jdk.crac.impl.Renewal. */
#include "agent.h"

#define NATIVE(type, name) JNIEXPORT type JNICALL Java_jdk_crac_impl_Renewal_##name

NATIVE(jint, reseed)(JNIEnv *env, jclass self) {
  (void)self;
  return crac_reseed_generators(env);
}

NATIVE(void, forget)(JNIEnv *env, jclass self) {
  (void)self;
  crac_forget_generators(env);
}
