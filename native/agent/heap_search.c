/* Finds all live objects of some classes in one walk over the heap, which stops the JVM: to be done before a checkpoint. */
#include "heap_search.h"

#include <stdlib.h>
#include <string.h>

/* Tags: a class has its kind + 1, an object of it OBJECT + kind. Other agents have tags of their own. */
#define OBJECT 1000

/* The most that HotSpot allows; it is no limit but a promise, which -Xcheck:jni watches. */
#define LOCAL_REFERENCES 65536

static bool matches(const char *signature, const struct crac_kind *kind) {
  return kind->is_prefix ? strncmp(signature, kind->signature, strlen(kind->signature)) == 0 : strcmp(signature, kind->signature) == 0;
}

static bool is_of_boot_loader(jvmtiEnv *jvmti, jclass class) {
  jobject loader = NULL;
  return !(*jvmti)->GetClassLoader(jvmti, class, &loader) && loader == NULL;
}

/* Tags the classes of the JDK that `kinds` names, and, where a kind says so, all that extend them. */
static void tag_classes(jvmtiEnv *jvmti, JNIEnv *env, const struct crac_kind *kinds, jclass *classes, jint count) {
  jclass bases[CRAC_MAX_KINDS] = {NULL};
  for (jint i = 0; i < count; i++) {
    char *signature;
    if (!is_of_boot_loader(jvmti, classes[i]) || (*jvmti)->GetClassSignature(jvmti, classes[i], &signature, NULL))
      continue;
    for (int kind = 0; kinds[kind].signature; kind++)
      if (matches(signature, &kinds[kind])) {
        if (kinds[kind].found)
          (*jvmti)->SetTag(jvmti, classes[i], kind + 1);
        if (kinds[kind].with_subclasses)
          bases[kind] = classes[i];
        if (kinds[kind].found_class)
          kinds[kind].found_class(env, classes[i]);
      }
    (*jvmti)->Deallocate(jvmti, (unsigned char *)signature);
  }
  for (int kind = 0; kinds[kind].signature; kind++)
    for (jint i = 0; bases[kind] && i < count; i++) {
      jlong tag = 0;
      if ((*env)->IsAssignableFrom(env, classes[i], bases[kind]) && !(*jvmti)->GetTag(jvmti, classes[i], &tag) && tag == 0)
        (*jvmti)->SetTag(jvmti, classes[i], kind + 1);
    }
}

static jint JNICALL on_object(jlong class_tag, jlong size, jlong *tag, jint length, void *unused) {
  (void)size, (void)length, (void)unused;
  if (*tag == 0)
    *tag = OBJECT + class_tag - 1;
  return 0;
}

static void report(jvmtiEnv *jvmti, JNIEnv *env, const struct crac_kind *kinds) {
  jlong wanted[CRAC_MAX_KINDS], *tags;
  jint kind_count = 0, count = 0;
  for (; kinds[kind_count].signature; kind_count++)
    wanted[kind_count] = OBJECT + kind_count;
  jobject *objects;
  if ((*jvmti)->GetObjectsWithTags(jvmti, kind_count, wanted, &count, &objects, &tags))
    return;
  for (jint i = 0; i < count; i++)
    kinds[tags[i] - OBJECT].found(env, objects[i]);
  (*jvmti)->Deallocate(jvmti, (unsigned char *)objects);
  (*jvmti)->Deallocate(jvmti, (unsigned char *)tags);
}

/* Calls `found` for the objects of each kind. False: this JVM does not let its heap be walked. */
bool crac_search_heap(JNIEnv *env, const struct crac_kind *kinds) {
  jvmtiEnv *jvmti; /* of its own: the tags go with it */
  if ((*crac_vm)->GetEnv(crac_vm, (void **)&jvmti, JVMTI_VERSION_9) != JNI_OK)
    return false;
  jvmtiCapabilities capabilities;
  memset(&capabilities, 0, sizeof capabilities);
  capabilities.can_tag_objects = 1;
  jint class_count = 0;
  jclass *classes = NULL;
  bool done = false;
  if (!(*jvmti)->AddCapabilities(jvmti, &capabilities) && !(*env)->PushLocalFrame(env, LOCAL_REFERENCES)) {
    if (!(*jvmti)->GetLoadedClasses(jvmti, &class_count, &classes)) {
      tag_classes(jvmti, env, kinds, classes, class_count);
      jvmtiHeapCallbacks callbacks;
      memset(&callbacks, 0, sizeof callbacks);
      callbacks.heap_iteration_callback = on_object;
      done = !(*jvmti)->IterateThroughHeap(jvmti, JVMTI_HEAP_FILTER_CLASS_UNTAGGED, NULL, &callbacks, NULL);
      if (done)
        report(jvmti, env, kinds);
      (*jvmti)->Deallocate(jvmti, (unsigned char *)classes);
    }
    (*env)->PopLocalFrame(env, NULL);
  }
  (*jvmti)->DisposeEnvironment(jvmti);
  return done;
}
