/*
 * From JDK 20 on a full collection arms the entry barrier of all compiled code: whoever is first to call a method after it
 * takes a detour through the JVM, which writes to the code. In a restored process that is a page fault and a copied page for
 * nearly every method of the first requests. HotSpot passes all barriers itself when an agent asks for the events that tell
 * it of the code that is already there.
 */
#include "agent.h"

#include <string.h>

static void JNICALL on_compiled_method(jvmtiEnv *jvmti, jmethodID method, jint size, const void *code, jint map_length,
                                       const jvmtiAddrLocationMap *map, const void *compile_info) {
  (void)jvmti, (void)method, (void)size, (void)code, (void)map_length, (void)map, (void)compile_info;
}

void crac_pass_code_barriers(void) {
  jvmtiEnv *jvmti; /* of its own: its event and capability end with it */
  if ((*crac_vm)->GetEnv(crac_vm, (void **)&jvmti, JVMTI_VERSION_9) != JNI_OK)
    return;
  jvmtiCapabilities capabilities;
  memset(&capabilities, 0, sizeof capabilities);
  capabilities.can_generate_compiled_method_load_events = 1;
  jvmtiEventCallbacks callbacks;
  memset(&callbacks, 0, sizeof callbacks);
  callbacks.CompiledMethodLoad = on_compiled_method; /* without one, HotSpot has nothing to do */
  if (!(*jvmti)->AddCapabilities(jvmti, &capabilities) && !(*jvmti)->SetEventCallbacks(jvmti, &callbacks, sizeof callbacks) &&
      !(*jvmti)->SetEventNotificationMode(jvmti, JVMTI_ENABLE, JVMTI_EVENT_COMPILED_METHOD_LOAD, NULL))
    (*jvmti)->GenerateEvents(jvmti, JVMTI_EVENT_COMPILED_METHOD_LOAD);
  (*jvmti)->DisposeEnvironment(jvmti);
}
