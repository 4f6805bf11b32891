/* channel.c: what comes over the control channel, good and not. */
#include "made-up.h"

#include "../../../native/agent/channel.c"

static struct {
  int checkpoint_ms, join_ms, statuses;
  char names[300], class_name[300];
} asked;
static bool throws;

#define STATUS "{\"state\":\"running\"}"

static jmethodID find_method(JNIEnv *env, jclass class, const char *name, const char *signature) {
  (void)env, (void)class, (void)signature;
  return (jmethodID)name;
}
static jobject call_object(JNIEnv *env, jclass class, jmethodID method, ...) {
  (void)env, (void)class, (void)method;
  asked.statuses++;
  return (jobject)STATUS;
}
static void call_void(JNIEnv *env, jclass class, jmethodID method, ...) {
  (void)env, (void)class;
  va_list list;
  va_start(list, method);
  int connection = va_arg(list, int);
  if (!strcmp((const char *)method, "start")) {
    strcpy(asked.class_name, va_arg(list, const char *));
    va_end(list);
    crac_send_text(connection, "{}");
    return;
  }
  int ms = va_arg(list, int);
  strcpy(asked.names, va_arg(list, const char *));
  int join = va_arg(list, int);
  va_end(list);
  *(join ? &asked.join_ms : &asked.checkpoint_ms) = ms;
  crac_send_text(connection, "{}");
}
static jboolean is_thrown(JNIEnv *env) { return (void)env, throws; }
static const char *text_of(JNIEnv *env, jstring text, jboolean *copy) { return (void)env, (void)copy, (const char *)text; }
static void release_text(JNIEnv *env, jstring text, const char *chars) { (void)env, (void)text, (void)chars; }
static jstring make_text(JNIEnv *env, const char *text) { return (void)env, (jstring)text; }
static void nothing(JNIEnv *env) { (void)env; }

static struct JNINativeInterface_ functions;
static JNIEnv environment = &functions;
static jint attach(JavaVM *vm, void **env, void *arguments) { return (void)vm, (void)arguments, *env = &environment, JNI_OK; }
static jint detach(JavaVM *vm) { return (void)vm, JNI_OK; }
static const struct JNIInvokeInterface_ invocation = {.AttachCurrentThreadAsDaemon = attach, .DetachCurrentThread = detach};
static JavaVM vm = &invocation;

/* What is answered to a client that sends these bytes and no more. */
static const char *ask(const char *bytes, size_t size) {
  static char answer[4096];
  int ends[2];
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  CHECK(send(ends[0], bytes, size, MSG_NOSIGNAL) == (ssize_t)size);
  shutdown(ends[0], SHUT_WR);
  serve(ends[1]);
  ssize_t got = recv(ends[0], answer, sizeof answer - 1, 0);
  answer[got < 0 ? 0 : got] = 0;
  close(ends[0]);
  return answer;
}

static int is_refused(const char *answer) { return strncmp(answer, "{\"error\":\"", 10) == 0 && strchr(answer, '\n') != NULL; }

static void test_numbers(void) {
  const char *names = NULL;
  CHECK(number_after("checkpoint 5500", "checkpoint", &names) == 5500 && !*names);
  CHECK(number_after("join 0 trim,jit-idle", "join", &names) == 0 && !strcmp(names, "trim,jit-idle"));
  CHECK(number_after("checkpoint 10000009", "checkpoint", &names) == 10000009);
  static const char *const wrong[] = {"",        "join",         "join ",         "join x",         "join 1x", "join -1",
                                      "joint 1", "join 1 \xc0", "join 1 a b", "join 1 A", "join 99999999999999999999"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) CHECK(number_after(wrong[i], "join", &names) == -1);
}

void test_channel(void) {
  functions = (struct JNINativeInterface_){.GetStaticMethodID = find_method,
                                           .CallStaticObjectMethod = call_object,
                                           .CallStaticVoidMethod = call_void,
                                           .NewStringUTF = make_text,
                                           .ExceptionCheck = is_thrown,
                                           .ExceptionDescribe = nothing,
                                           .ExceptionClear = nothing,
                                           .GetStringUTFChars = text_of,
                                           .ReleaseStringUTFChars = release_text};
  crac_vm = &vm;
  test_numbers();
  CHECK(!strcmp(ask("status\n", 7), STATUS "\n") && asked.statuses == 1);
  CHECK(!strcmp(ask("checkpoint 5500\nmore", 20), "{}\n") && asked.checkpoint_ms == 5500);
  CHECK(!strcmp(ask("join 7 trim\n", 12), "{}\n") && asked.join_ms == 7 && !strcmp(asked.names, "trim"));
  CHECK(!strncmp(ask("facts\n", 6), "{\"atNs\":", 8) && is_refused(ask("facts 1\n", 8)));
  CHECK(!strcmp(ask("call a.B$C_1\n", 13), "{}\n") && !strcmp(asked.class_name, "a.B$C_1"));
  CHECK(is_refused(ask("call \n", 6)) && is_refused(ask("call a/B\n", 9)) && is_refused(ask("call a B\n", 9)) &&
        is_refused(ask("call \xc3\xa4\n", 8)));
  throws = true;
  CHECK(is_refused(ask("status\n", 7)));
  throws = false;
  CHECK(is_refused(ask("", 0)) && is_refused(ask("\n", 1)) && is_refused(ask("status", 6)) && is_refused(ask("status \n", 8)));
  CHECK(is_refused(ask("status\0\n", 8)) == 0); /* a line ends at its first NUL */
  char line[64 + CRAC_MAX_NAMES + 45];
  memset(line, 'x', sizeof line);
  CHECK(is_refused(ask(line, sizeof line)));
  for (size_t size = 56 + CRAC_MAX_NAMES; size < 76 + CRAC_MAX_NAMES; size++) {
    line[size - 1] = '\n';
    CHECK(is_refused(ask(line, size)));
    line[size - 1] = 'x';
  }
  for (int run = 0; run < 500; run++) {
    size_t size = next_random() % sizeof line;
    memcpy(line, (const char *[]){"checkpoint ", "join 99999", "status\n....", "call a.B..."}[run % 4], 11);
    for (size_t i = next_random() % 16; i < size; i++) line[i] = run % 2 ? "0123456789 \n\0"[next_random() % 13] : (char)next_random();
    ask(line, size);
  }
  int ends[2]; /* a client that has gone is found out, not waited for */
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  close(ends[0]);
  CHECK(crac_has_gone(ends[1]) && !crac_send_text(ends[1], "{}"));
}
