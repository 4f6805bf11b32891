/* The native methods of jdk.crac.impl.Renewal. */
#include "agent.h"

#define NATIVE(type, name) JNIEXPORT type JNICALL Java_jdk_crac_impl_Renewal_##name

NATIVE(void, forget)(JNIEnv *env, jclass self) {
  (void)self;
  crac_forget_generators(env);
  crac_forget_timers(env);
  crac_forget_addresses(env);
}

NATIVE(void, prepareForTools)(JNIEnv *env, jclass self) {
  (void)env, (void)self;
  crac_prepare_perf_data();
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
