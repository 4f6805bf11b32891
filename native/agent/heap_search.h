#ifndef CRAC_HEAP_SEARCH_H
#define CRAC_HEAP_SEARCH_H
#include "agent.h"

#define CRAC_MAX_KINDS 16

/* What is looked for: a class of the JDK, with or without those that extend it. A list ends with a NULL signature. */
struct crac_kind {
  const char *signature; /* "Ljava/lang/Thread;" */
  bool is_prefix, with_subclasses;
  void (*found_class)(JNIEnv *env, jclass found); /* or NULL; called when the class itself is loaded */
  void (*found)(JNIEnv *env, jobject object);     /* or NULL */
};
HIDDEN bool crac_search_heap(JNIEnv *env, const struct crac_kind *kinds);
#endif
