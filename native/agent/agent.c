/*
 * Start of the agent. Agent_OnLoad runs while the JVM has one thread: the one moment in which code can be changed.
 * VMInit runs when Java works and before the app: classes are defined then, and the control channel opens.
 *
 * Option "off": jdk.crac is there, but no checkpoint can be asked for.
 */
#define _GNU_SOURCE
#include "agent.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

CRAC_OLD_SYMBOL(dlsym);
CRAC_OLD_SYMBOL(dlopen);
CRAC_OLD_SYMBOL(dladdr);

#define REMEDY "Use a build of OpenJDK 17, 21 or 25 with HotSpot, such as Temurin's or a distribution's"

JavaVM *crac_vm;
jvmtiEnv *crac_jvmti;
const char *crac_obstacle;
static void *jvm_library;

void crac_warn(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("crac: warning: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
}

void *crac_jvm_symbol(const char *name) { return dlsym(jvm_library, name); }

/* Unlike FindClass, without a look at the app's classes and without an exception. */
jclass crac_find_boot_class(JNIEnv *env, const char *name) {
  jclass (*find)(JNIEnv *, const char *) =
      (jclass(*)(JNIEnv *, const char *))crac_jvm_symbol("JVM_FindClassFromBootLoader");
  jclass found = find ? find(env, name) : NULL;
  if ((*env)->ExceptionCheck(env))
    (*env)->ExceptionClear(env);
  return found;
}

static void JNICALL on_vm_init(jvmtiEnv *jvmti, JNIEnv *env, jthread thread) {
  (void)jvmti;
  (void)thread;
  if (crac_find_boot_class(env, "jdk/crac/Core")) { /* a JDK with CRaC: it is in charge */
    crac_warn("this JDK has jdk.crac of its own, libcrac.so stays out of its way");
    return;
  }
  const char *problem = crac_define_classes(env);
  if (!problem && (!crac_obstacle || strcmp(crac_obstacle, "off") != 0)) {
    crac_edit_classes(env);
    crac_keep_libraries(env);
    problem = crac_start_channel();
  }
  if (problem) {
    crac_warn("%s", problem);
    crac_obstacle = problem;
  }
}

JNIEXPORT jint JNICALL Agent_OnLoad(JavaVM *vm, char *options, void *reserved) {
  (void)reserved;
  crac_vm = vm;
  Dl_info jvm;
  JNIEnv *env = NULL;
  if (!dladdr((void *)(*vm)->GetEnv, &jvm) || !(jvm_library = dlopen(jvm.dli_fname, RTLD_NOW | RTLD_NOLOAD)) ||
      (*vm)->GetEnv(vm, (void **)&crac_jvmti, JVMTI_VERSION_9) != JNI_OK) {
    crac_warn("this JVM offers no JVMTI 9: the checkpoint agent cannot work here, the app goes on without. " REMEDY);
    return JNI_OK; /* the app is worth more than its checkpoint */
  }
  (void)(*vm)->GetEnv(vm, (void **)&env, JNI_VERSION_9);
  if (options && strcmp(options, "off") == 0)
    crac_obstacle = "off";
  else if (!crac_jvm_symbol("gHotSpotVMStructs"))
    crac_obstacle = "this JVM is not HotSpot, or does not describe its structures (gHotSpotVMStructs): no checkpoint of it "
                    "can be taken. " REMEDY;
  else if (!(crac_obstacle = crac_redirect_nano_time(env)))
    crac_prepare_class_edits();

  jvmtiEventCallbacks callbacks;
  memset(&callbacks, 0, sizeof callbacks);
  callbacks.VMInit = on_vm_init;
  if ((*crac_jvmti)->SetEventCallbacks(crac_jvmti, &callbacks, sizeof callbacks) ||
      (*crac_jvmti)->SetEventNotificationMode(crac_jvmti, JVMTI_ENABLE, JVMTI_EVENT_VM_INIT, NULL))
    crac_warn("this JVM does not announce its start: the checkpoint agent cannot work here");
  return JNI_OK;
}
