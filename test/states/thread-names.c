/*
 * names of threads: of 15 characters, empty, not ASCII
 * restored: map
 */
#include <sys/prctl.h>

#include "state.h"

#define COUNT 4
static const char *const names[COUNT] = {"exactly 15 char", "", "gr\xc3\xbc\xc3\x9f" "e", "with (brackets)"};
static pthread_barrier_t named, restored;

static void *run(void *name) {
  char now[16];
  prctl(PR_SET_NAME, name);
  pthread_barrier_wait(&named);
  pthread_barrier_wait(&restored);
  prctl(PR_GET_NAME, now);
  return strcmp(now, name) == 0 ? "right" : NULL;
}

int main(void) {
  pthread_t threads[COUNT];
  char now[16];
  pthread_barrier_init(&named, NULL, COUNT + 1);
  pthread_barrier_init(&restored, NULL, COUNT + 1);
  for (int i = 0; i < COUNT; i++) threads[i] = start_thread(run, (void *)names[i]);
  pthread_barrier_wait(&named);
  prctl(PR_SET_NAME, "the first one");
  await_restore();
  pthread_barrier_wait(&restored);
  for (int i = 0; i < COUNT; i++) check(result_of(threads[i]) != NULL);
  prctl(PR_GET_NAME, now);
  check(strcmp(now, "the first one") == 0);
}
