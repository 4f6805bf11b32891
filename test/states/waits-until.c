/*
 * threads that wait for a point in time: clock_nanosleep, condition variables, semaphores, raw futexes
 * restored: map
 * clock: same, ahead, behind
 */
#include <linux/futex.h>
#include <semaphore.h>

#include "state.h"

/* After the dump, so that each is dumped while it waits; early enough for the test not to last. */
#define AFTER_NS 400000000ll

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* What they wait for must not have been reached earlier by the clock that they named, and must be reached. */
static int has_come(clockid_t clock, const struct timespec *deadline) {
  return now_ns(clock) >= deadline->tv_sec * 1000000000ll + deadline->tv_nsec;
}

static int by_sleep(clockid_t clock) {
  struct timespec deadline = timespec_of(now_ns(clock) + AFTER_NS);
  int error;
  while ((error = clock_nanosleep(clock, TIMER_ABSTIME, &deadline, NULL)) == EINTR) continue;
  return error == 0 && has_come(clock, &deadline);
}
static int by_sleep_monotonic(void) { return by_sleep(CLOCK_MONOTONIC); }
static int by_sleep_boottime(void) { return by_sleep(CLOCK_BOOTTIME); }
static int by_sleep_realtime(void) { return by_sleep(CLOCK_REALTIME); }

static int by_condition(clockid_t clock) {
  struct timespec deadline = timespec_of(now_ns(clock) + AFTER_NS);
  pthread_condattr_t attributes;
  pthread_cond_t never;
  int error;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, clock);
  pthread_cond_init(&never, &attributes);
  pthread_mutex_lock(&lock);
  while ((error = pthread_cond_timedwait(&never, &lock, &deadline)) == 0) continue;
  pthread_mutex_unlock(&lock);
  return error == ETIMEDOUT && has_come(clock, &deadline);
}
static int by_condition_monotonic(void) { return by_condition(CLOCK_MONOTONIC); }
static int by_condition_realtime(void) { return by_condition(CLOCK_REALTIME); }

static int by_semaphore(clockid_t clock) {
  struct timespec deadline = timespec_of(now_ns(clock) + AFTER_NS);
  sem_t never;
  sem_init(&never, 0, 0);
  while (sem_clockwait(&never, clock, &deadline) != 0 && errno == EINTR) continue;
  return errno == ETIMEDOUT && has_come(clock, &deadline);
}
static int by_semaphore_monotonic(void) { return by_semaphore(CLOCK_MONOTONIC); }
static int by_semaphore_realtime(void) { return by_semaphore(CLOCK_REALTIME); }

static int by_futex(void) {
  struct timespec deadline = timespec_of(now_ns(CLOCK_MONOTONIC) + AFTER_NS);
  uint32_t word = 5;
  while (syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, 5, &deadline, NULL, FUTEX_BITSET_MATCH_ANY) != 0 &&
         errno == EINTR)
    continue;
  return errno == ETIMEDOUT && has_come(CLOCK_MONOTONIC, &deadline);
}

static struct {
  int (*wait)(void);
  long number;
  _Atomic pid_t tid;
} calls[] = {
    {by_sleep_monotonic, SYS_clock_nanosleep, 0}, {by_sleep_boottime, SYS_clock_nanosleep, 0},
    {by_sleep_realtime, SYS_clock_nanosleep, 0},  {by_condition_monotonic, SYS_futex, 0},
    {by_condition_realtime, SYS_futex, 0},        {by_semaphore_monotonic, SYS_futex, 0},
    {by_semaphore_realtime, SYS_futex, 0},        {by_futex, SYS_futex, 0},
};
#define COUNT (sizeof calls / sizeof *calls)

static void *run(void *index) {
  calls[(uintptr_t)index].tid = gettid();
  return calls[(uintptr_t)index].wait() ? &calls[(uintptr_t)index] : NULL;
}

int main(void) {
  pthread_t threads[COUNT];
  for (uintptr_t i = 0; i < COUNT; i++) threads[i] = start_thread(run, (void *)i);
  for (unsigned i = 0; i < COUNT; i++) {
    while (calls[i].tid == 0) usleep(100);
    await_system_call(calls[i].tid, calls[i].number);
  }
  await_restore();
  for (unsigned i = 0; i < COUNT; i++)
    if (result_of(threads[i]) == NULL) leave(1, "wait %u did not end as it should", i);
}
