/*
 * The control channel: an abstract unix socket that only root and the JVM's own user may talk to. One connection carries
 * one line each way:
 *
 *   status                          {"state":"running|waiting|restored",…}
 *   checkpoint SETTLE_MS [NAME,…]   ReadyFacts, when the process can be dumped, or {"error":…,"details":[…]};
 *                                   without the steps that are named
 *   join SETTLE_MS [NAME,…]         the same for the checkpoint that the app itself asks for
 *   facts                           what the JIT does: jit_facts.c
 *   call CLASS                      when that class of the app has done its work: Call.java
 *
 * The thread belongs to the JVM only while it serves: a Java thread that sits in accept() makes every exit of the JVM
 * 300 ms longer, which is how long HotSpot waits for threads in native code.
 *
 * Nothing of it may be open in the dump: the listening socket is closed before "ready" is sent, and opened again later.
 */
#define _GNU_SOURCE
#include "agent.h"
#include "../control.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

CRAC_OLD_SYMBOL(pthread_detach);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
/* guarded by lock */
static bool wanted = true;
static int listener = -1;
static bool busy; /* the control thread uses the listener or a connection */

static int open_listener(void) {
  struct sockaddr_un address;
  socklen_t length = crac_control_address(getpid(), &address);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) || listen(fd, 8)) {
    crac_warn("no control channel: %s", strerror(errno));
    if (fd >= 0)
      close(fd);
    return -1;
  }
  return fd;
}

/* A client sends nothing after its one line, so there is nothing to be read but its end of file. */
bool crac_has_gone(int connection) {
  char nothing;
  return recv(connection, &nothing, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static bool send_line(int connection, const char *line, size_t length) {
  size_t sent = 0;
  while (sent < length) {
    ssize_t n = send(connection, line + sent, length - sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      break;
    sent += (size_t)n;
  }
  bool gone = crac_has_gone(connection);
  close(connection);
  return sent == length && !gone;
}

/* Text without its end of line. */
bool crac_send_text(int connection, const char *text) {
  size_t length = strlen(text);
  char *line = malloc(length + 1);
  if (!line) {
    close(connection);
    return false;
  }
  memcpy(line, text, length);
  line[length] = '\n';
  bool sent = send_line(connection, line, length + 1);
  free(line);
  return sent;
}

static void refuse(int connection, const char *message) {
  char line[256];
  int length = snprintf(line, sizeof line, "{\"error\":\"%s\",\"details\":[]}\n", message);
  send_line(connection, line, (size_t)length);
}

static bool is_allowed(int connection) {
  struct ucred peer;
  socklen_t length = sizeof peer;
  return !getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &length) && (peer.uid == 0 || peer.uid == geteuid());
}

static bool read_line(int connection, char *line, size_t size) {
  const struct timeval limit = {2, 0};
  setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  for (size_t length = 0; length + 1 < size; length++) {
    ssize_t n = recv(connection, line + length, 1, 0);
    if (n < 0 && errno == EINTR) {
      length--;
      continue;
    }
    if (n != 1)
      return false;
    if (line[length] == '\n') {
      line[length] = 0;
      return true;
    }
  }
  return false;
}

/* "WORD NUMBER" or "WORD NUMBER NAMES" → NUMBER, or -1; `names` is what follows. */
static int number_after(const char *line, const char *word, const char **names) {
  size_t length = strlen(word);
  if (strncmp(line, word, length) || line[length] != ' ' || !line[length + 1])
    return -1;
  int number = 0;
  const char *at = line + length + 1;
  for (; *at && *at != ' '; at++) {
    if (*at < '0' || *at > '9' || number > 1000000)
      return -1;
    number = number * 10 + (*at - '0');
  }
  at += *at == ' ';
  if (at[strspn(at, "abcdefghijklmnopqrstuvwxyz-,")])
    return -1;
  *names = at;
  return number;
}

static void answer_status(JNIEnv *env, jclass control, int connection) {
  jmethodID status = (*env)->GetStaticMethodID(env, control, "status", "()Ljava/lang/String;");
  jstring text = status ? (*env)->CallStaticObjectMethod(env, control, status) : NULL;
  const char *line = !(*env)->ExceptionCheck(env) && text ? (*env)->GetStringUTFChars(env, text, NULL) : NULL;
  if (!line) {
    refuse(connection, "the JVM cannot tell its state");
    return;
  }
  crac_send_text(connection, line);
  (*env)->ReleaseStringUTFChars(env, text, line);
}

/* "call CLASS" → CLASS, or NULL. */
static const char *class_after_call(const char *line) {
  if (strncmp(line, "call ", 5) || !line[5] || line[5 + strspn(line + 5, CRAC_CLASS_NAME)])
    return NULL;
  return line + 5;
}

static void start_call(JNIEnv *env, int connection, const char *name) {
  jclass call = crac_find_boot_class(env, "jdk/crac/impl/Call");
  jmethodID start = call ? (*env)->GetStaticMethodID(env, call, "start", "(ILjava/lang/String;)V") : NULL;
  jstring class_name = start ? (*env)->NewStringUTF(env, name) : NULL;
  if (class_name)
    (*env)->CallStaticVoidMethod(env, call, start, connection, class_name);
  else
    refuse(connection, "the JVM cannot call a class");
}

static void serve(int connection) {
  char line[64 + CRAC_MAX_NAMES];
  if (!is_allowed(connection)) {
    refuse(connection, "only root and the user of the JVM may ask");
    return;
  }
  if (!read_line(connection, line, sizeof line)) {
    refuse(connection, "no command came");
    return;
  }
  if (strcmp(line, "facts") == 0) { /* of the JVM, but without it: what is watched is not to be disturbed */
    crac_send_jit_facts(connection);
    return;
  }
  const char *skipped = "";
  int checkpoint_ms = number_after(line, "checkpoint", &skipped), join_ms = number_after(line, "join", &skipped);
  bool is_status = strcmp(line, "status") == 0, join = join_ms >= 0;
  const char *class_name = class_after_call(line);
  if (!is_status && checkpoint_ms < 0 && !join && !class_name) {
    refuse(connection, "unknown command");
    return;
  }
  JNIEnv *env = NULL;
  JavaVMAttachArgs self = {JNI_VERSION_9, (char *)"crac control", NULL};
  if ((*crac_vm)->AttachCurrentThreadAsDaemon(crac_vm, (void **)&env, &self) != JNI_OK) {
    refuse(connection, "the JVM takes no thread any more");
    return;
  }
  jclass control = crac_find_boot_class(env, "jdk/crac/impl/Control");
  if (!control) {
    refuse(connection, "jdk.crac is missing in this JVM");
  } else if (class_name) {
    start_call(env, connection, class_name);
  } else if (is_status) {
    answer_status(env, control, connection);
  } else {
    jmethodID request = (*env)->GetStaticMethodID(env, control, "requestCheckpoint", "(IILjava/lang/String;Z)V");
    jstring names = request ? (*env)->NewStringUTF(env, skipped) : NULL;
    if (names)
      (*env)->CallStaticVoidMethod(env, control, request, connection, join ? join_ms : checkpoint_ms, names, join);
  }
  if ((*env)->ExceptionCheck(env)) {
    (*env)->ExceptionDescribe(env);
    (*env)->ExceptionClear(env);
  }
  (*crac_vm)->DetachCurrentThread(crac_vm);
}

static void *run_channel(void *unused) {
  (void)unused;
  pthread_mutex_lock(&lock);
  for (;;) {
    while (!wanted)
      pthread_cond_wait(&changed, &lock);
    busy = true;
    if (listener < 0 && (listener = open_listener()) < 0)
      wanted = false;
    pthread_mutex_unlock(&lock);
    crac_show_wanted_perf_data();
    pthread_mutex_lock(&lock);
    while (wanted && listener >= 0) {
      int own = listener;
      pthread_mutex_unlock(&lock);
      int connection = accept4(own, NULL, NULL, SOCK_CLOEXEC);
      int error = errno;
      if (connection >= 0)
        serve(connection);
      pthread_mutex_lock(&lock);
      if (connection < 0 && error != EINTR && error != ECONNABORTED)
        break;
    }
    if (listener >= 0) { /* closing was asked for, or accept() failed for good */
      close(listener);
      listener = -1;
      wanted = false;
    }
    busy = false;
    pthread_cond_broadcast(&changed);
  }
  return NULL;
}

/* Returns NULL or what is wrong. */
const char *crac_start_channel(void) {
  pthread_t thread;
  if (!crac_start_thread(&thread, run_channel, NULL))
    return "the control thread cannot be started";
  pthread_detach(thread);
  return NULL;
}

/* Returns when it is closed. Never called by the control thread, which answers though a checkpoint is on its way. */
void crac_close_channel(void) {
  pthread_mutex_lock(&lock);
  wanted = false;
  if (listener >= 0)
    shutdown(listener, SHUT_RDWR); /* ends accept() */
  while (busy)
    pthread_cond_wait(&changed, &lock);
  pthread_mutex_unlock(&lock);
}

void crac_open_channel(void) {
  pthread_mutex_lock(&lock);
  wanted = true;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
}
