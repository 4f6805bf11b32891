/*
 * Makes CRaCMXBean a bean of the platform MBean server without starting that server: the JDK's own list of services is
 * told of one more PlatformMBeanProvider. It is read when the app (or a tool) first asks for a platform bean.
 */
#include "agent.h"

#define PROVIDER_SERVICE "sun/management/spi/PlatformMBeanProvider"

static bool failed(JNIEnv *env) {
  if (!(*env)->ExceptionCheck(env))
    return false;
  (*env)->ExceptionClear(env);
  return true;
}

static jobject call_static(JNIEnv *env, jclass class, const char *name, const char *signature) {
  jmethodID method = class ? (*env)->GetStaticMethodID(env, class, name, signature) : NULL;
  jobject result = method ? (*env)->CallStaticObjectMethod(env, class, method) : NULL;
  return failed(env) ? NULL : result;
}

static jobject unnamed_module(JNIEnv *env) {
  jclass loader = crac_find_boot_class(env, "jdk/internal/loader/BootLoader");
  return call_static(env, loader, "getUnnamedModule", "()Ljava/lang/Module;");
}

/*
 * Whether classes that extend those of java.management can be defined: an image need not have that module. Exports to the
 * VM only, with the native method behind Module.addExports(): all that JVMTI's AddModuleExports does costs 7 ms.
 */
bool crac_open_management(JNIEnv *env) {
  jclass service = crac_find_boot_class(env, PROVIDER_SERVICE);
  jclass class = crac_find_boot_class(env, "java/lang/Class"), modules = crac_find_boot_class(env, "java/lang/Module");
  if (!service || !class || !modules)
    return false;
  jmethodID get_module = (*env)->GetMethodID(env, class, "getModule", "()Ljava/lang/Module;");
  jobject module = get_module ? (*env)->CallObjectMethod(env, service, get_module) : NULL;
  if (failed(env) || !module)
    return false;
  jobject own = unnamed_module(env);
  jstring package = own ? (*env)->NewStringUTF(env, "sun.management.spi") : NULL;
  jmethodID export = package ? (*env)->GetStaticMethodID(env, modules, "addExports0",
                                                         "(Ljava/lang/Module;Ljava/lang/String;Ljava/lang/Module;)V")
                             : NULL;
  if (export)
    (*env)->CallStaticVoidMethod(env, modules, export, module, package, own);
  return !failed(env) && export;
}

/* The classes are defined. Without success the platform has no such bean, and that is all. */
void crac_announce_management(JNIEnv *env) {
  jclass loader = crac_find_boot_class(env, "jdk/internal/loader/BootLoader");
  jclass service = crac_find_boot_class(env, PROVIDER_SERVICE);
  jclass provider = crac_find_boot_class(env, "jdk/crac/management/Provider");
  jobject own = unnamed_module(env);
  jobject catalog = call_static(env, loader, "getServicesCatalog", "()Ljdk/internal/module/ServicesCatalog;");
  if (!service || !provider || !own || !catalog)
    return;
  jclass class = (*env)->GetObjectClass(env, catalog);
  jmethodID add =
      (*env)->GetMethodID(env, class, "addProvider", "(Ljava/lang/Module;Ljava/lang/Class;Ljava/lang/Class;)V");
  if (add)
    (*env)->CallVoidMethod(env, catalog, add, own, service, provider);
  failed(env);
}
