/* host AGENT none|jvmti: loads the agent into a JVM that it does not know, and asks it what it thinks of it. */
#include <dlfcn.h>
#include <jni.h>
#include <stdio.h>
#include <string.h>

extern int fake_has_jvmti;
extern struct JNIInvokeInterface_ *fake_vm;
extern JNIEnv *fake_env;

int main(int argc, char **argv) {
  void *agent = argc == 3 ? dlopen(argv[1], RTLD_NOW) : NULL;
  if (!agent) {
    puts(argc == 3 ? dlerror() : "usage");
    return 2;
  }
  setvbuf(stdout, NULL, _IONBF, 0);
  fake_has_jvmti = !strcmp(argv[2], "jvmti");
  jint (*load)(JavaVM *, char *, void *) = (jint(*)(JavaVM *, char *, void *))dlsym(agent, "Agent_OnLoad");
  printf("returned %d\n", load((JavaVM *)&fake_vm, NULL, NULL));
  jstring (*obstacle)(JNIEnv *, jclass) =
      (jstring(*)(JNIEnv *, jclass))dlsym(agent, "Java_jdk_crac_impl_Native_obstacle");
  const char *text = (const char *)obstacle(fake_env, NULL);
  printf("obstacle: %s\n", text ? text : "none");
  return 0;
}
