/*
 * java.util.Timer counts by the wall clock: at a fixed rate it would run once for every period between checkpoint and
 * restore, and with a clock that has been set back it would wait for the old time. So the next run of periodic tasks is
 * moved: after a fixed delay it has as long to wait as at the checkpoint, at a fixed rate it is the next in step with
 * those before. Tasks for one point in time stay where they are.
 *
 * The thread of a timer is woken to look at the clock again, unless all its tasks wait as long as before: the first
 * requests are not to share the processors with what can wait.
 */
#include "heap_search.h"

#include <time.h>

#define MAX_QUEUES 64

static jobject queues[MAX_QUEUES]; /* global references */
static int queue_count;
static int64_t found_at_ms;
static jfieldID queue_tasks, queue_size, task_next, task_period;
static jmethodID queue_heapify, queue_notify;

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

void crac_found_timer_task_class(JNIEnv *env, jclass class) {
  task_next = (*env)->GetFieldID(env, class, "nextExecutionTime", "J");
  task_period = task_next ? (*env)->GetFieldID(env, class, "period", "J") : NULL;
  (*env)->ExceptionClear(env);
}

void crac_found_timer_queue_class(JNIEnv *env, jclass class) {
  queue_tasks = (*env)->GetFieldID(env, class, "queue", "[Ljava/util/TimerTask;");
  queue_size = queue_tasks ? (*env)->GetFieldID(env, class, "size", "I") : NULL;
  queue_heapify = queue_size ? (*env)->GetMethodID(env, class, "heapify", "()V") : NULL;
  queue_notify = queue_heapify ? (*env)->GetMethodID(env, class, "notify", "()V") : NULL;
  (*env)->ExceptionClear(env);
}

void crac_found_timer_queue(JNIEnv *env, jobject queue) {
  found_at_ms = now_ms();
  if (queue_notify && task_period && queue_count < MAX_QUEUES && (queues[queue_count] = (*env)->NewGlobalRef(env, queue)))
    queue_count++;
}

/* A period below 0 is a delay after each run, above 0 a rate. Returns whether the task waits as long as it did before. */
static bool move_task(JNIEnv *env, jobject task, int64_t now) {
  int64_t period = (*env)->GetLongField(env, task, task_period), next = (*env)->GetLongField(env, task, task_next);
  if (period == 0)
    return false;
  if (period < 0 || now < found_at_ms)
    next += now - found_at_ms;
  if (period > 0 && next < now)
    next += (now - next + period - 1) / period * period;
  (*env)->SetLongField(env, task, task_next, next);
  return period < 0;
}

static void move_tasks(JNIEnv *env, jobject queue, int64_t now) {
  jobjectArray tasks = (*env)->GetObjectField(env, queue, queue_tasks);
  jint size = (*env)->GetIntField(env, queue, queue_size);
  bool as_before = true;
  for (jint i = 1; tasks && i <= size && i < (*env)->GetArrayLength(env, tasks); i++) { /* a heap that begins at 1 */
    jobject task = (*env)->GetObjectArrayElement(env, tasks, i);
    if (task && !move_task(env, task, now))
      as_before = false;
    (*env)->DeleteLocalRef(env, task);
  }
  (*env)->DeleteLocalRef(env, tasks);
  if (!as_before) {
    (*env)->CallVoidMethod(env, queue, queue_heapify);
    if (!(*env)->ExceptionCheck(env))
      (*env)->CallVoidMethod(env, queue, queue_notify);
    (*env)->ExceptionClear(env);
  }
}

void crac_move_timers(JNIEnv *env) {
  for (int i = 0; i < queue_count; i++)
    if (!(*env)->MonitorEnter(env, queues[i])) {
      move_tasks(env, queues[i], now_ms());
      (*env)->MonitorExit(env, queues[i]);
    }
}

void crac_forget_timers(JNIEnv *env) {
  while (queue_count > 0)
    (*env)->DeleteGlobalRef(env, queues[--queue_count]);
}
