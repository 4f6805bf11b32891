/* heap_search.c over a JVMTI that fails at each of its functions in turn. */
#include "made-up.h"

#include <string.h>

#include "../../../native/agent/heap_search.h"

#define CLASSES 4
static const char *const signatures[CLASSES] = {"Ljava/util/Random;", "Ljava/util/Timer;", "Ljava/util/TimerTask;", "LMine;"};
static jlong tags[CLASSES], object_tags[CLASSES];
static int calls, failing, found_objects, found_classes, blocks;

static bool fails(void) { return ++calls == failing; }
static int class_of(jclass class) { return (int)(intptr_t)class - 1; }

static jvmtiError loader_of(jvmtiEnv *env, jclass class, jobject *loader) {
  *loader = class_of(class) == 3 ? (jobject)loader_of : NULL; /* the app's own class */
  return (void)env, fails() ? JVMTI_ERROR_INTERNAL : JVMTI_ERROR_NONE;
}
static jvmtiError signature_of(jvmtiEnv *env, jclass class, char **signature, char **generic) {
  (void)env, (void)generic;
  if (fails()) return JVMTI_ERROR_INTERNAL;
  blocks++;
  *signature = strdup(signatures[class_of(class)]);
  return JVMTI_ERROR_NONE;
}
static jvmtiError set_tag(jvmtiEnv *env, jobject object, jlong tag) {
  (void)env;
  if (fails()) return JVMTI_ERROR_INTERNAL;
  tags[class_of((jclass)object)] = tag;
  return JVMTI_ERROR_NONE;
}
static jvmtiError get_tag(jvmtiEnv *env, jobject object, jlong *tag) {
  (void)env;
  *tag = tags[class_of((jclass)object)];
  return fails() ? JVMTI_ERROR_INTERNAL : JVMTI_ERROR_NONE;
}
static jvmtiError deallocate(jvmtiEnv *env, unsigned char *block) { return (void)env, blocks--, free(block), JVMTI_ERROR_NONE; }
static jvmtiError loaded(jvmtiEnv *env, jint *count, jclass **classes) {
  (void)env;
  if (fails()) return JVMTI_ERROR_INTERNAL;
  blocks++;
  *classes = malloc(CLASSES * sizeof **classes);
  for (intptr_t i = 0; i < CLASSES; i++) (*classes)[i] = (jclass)(i + 1);
  *count = CLASSES;
  return JVMTI_ERROR_NONE;
}
static jvmtiError add(jvmtiEnv *env, const jvmtiCapabilities *wanted) { return (void)env, (void)wanted, fails() ? JVMTI_ERROR_INTERNAL : 0; }
static jvmtiError iterate(jvmtiEnv *env, jint filter, jclass class, const jvmtiHeapCallbacks *callbacks, const void *data) {
  (void)env, (void)filter, (void)class;
  if (fails()) return JVMTI_ERROR_INTERNAL;
  for (int i = 0; i < CLASSES; i++) /* an object of each class that has a tag */
    if (tags[i] != 0) callbacks->heap_iteration_callback(tags[i], 16, &object_tags[i], -1, (void *)data);
  return JVMTI_ERROR_NONE;
}
static jvmtiError tagged(jvmtiEnv *env, jint wanted_count, const jlong *wanted, jint *count, jobject **objects, jlong **found) {
  (void)env;
  if (fails()) return JVMTI_ERROR_INTERNAL;
  *objects = malloc(CLASSES * sizeof **objects), *found = malloc(CLASSES * sizeof **found);
  blocks += 2;
  *count = 0;
  for (int i = 0; i < CLASSES; i++)
    for (jint at = 0; at < wanted_count; at++)
      if (object_tags[i] == wanted[at]) (*objects)[*count] = (jobject)(intptr_t)(i + 1), (*found)[(*count)++] = wanted[at];
  return JVMTI_ERROR_NONE;
}
static jvmtiError dispose(jvmtiEnv *env) { return (void)env, JVMTI_ERROR_NONE; }

static const struct jvmtiInterface_1_ jvmti_functions = {.GetClassLoader = loader_of,
                                                         .GetClassSignature = signature_of,
                                                         .SetTag = set_tag,
                                                         .GetTag = get_tag,
                                                         .Deallocate = deallocate,
                                                         .GetLoadedClasses = loaded,
                                                         .AddCapabilities = add,
                                                         .IterateThroughHeap = iterate,
                                                         .GetObjectsWithTags = tagged,
                                                         .DisposeEnvironment = dispose};
static jvmtiEnv jvmti = &jvmti_functions;
static jint get_env(JavaVM *vm, void **env, jint version) { return (void)vm, (void)version, *env = &jvmti, fails() ? JNI_ERR : JNI_OK; }
static const struct JNIInvokeInterface_ invocation = {.GetEnv = get_env};
static JavaVM vm = &invocation;

static jint push(JNIEnv *env, jint count) { return (void)env, (void)count, fails() ? -1 : 0; }
static jobject pop(JNIEnv *env, jobject object) { return (void)env, object; }
static jboolean extends(JNIEnv *env, jclass class, jclass base) { return (void)env, class_of(class) == 3 && class_of(base) == 2; }
static const struct JNINativeInterface_ jni_functions = {.PushLocalFrame = push, .PopLocalFrame = pop, .IsAssignableFrom = extends};
static JNIEnv jni = &jni_functions;

static void found(JNIEnv *env, jobject object) {
  (void)env;
  CHECK(object != NULL);
  found_objects++;
}
static void found_class(JNIEnv *env, jclass class) {
  (void)env;
  CHECK(class != NULL);
  found_classes++;
}

static bool search(int failing_call, const struct crac_kind *kinds) {
  memset(tags, 0, sizeof tags), memset(object_tags, 0, sizeof object_tags);
  calls = found_objects = found_classes = 0;
  failing = failing_call;
  bool done = crac_search_heap(&jni, kinds);
  CHECK(blocks == 0);
  return done;
}

void test_heap_search(void) {
  static const struct crac_kind kinds[] = {{"Ljava/util/Random;", false, false, NULL, found},
                                           {"Ljava/util/Timer", true, false, found_class, NULL},
                                           {"Ljava/util/TimerTask;", false, true, NULL, found},
                                           {NULL, false, false, NULL, NULL}};
  static struct crac_kind many[CRAC_MAX_KINDS + 1];
  crac_vm = &vm;
  CHECK(search(0, kinds) && found_objects == 3 && found_classes == 2);
  int all = calls;
  for (int call = 1; call <= all; call++) search(call, kinds);
  for (int i = 0; i < CRAC_MAX_KINDS; i++) many[i] = kinds[0];
  CHECK(search(0, many) && found_objects == 1);
}
