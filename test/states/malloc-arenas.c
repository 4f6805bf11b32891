/*
 * glibc's arenas of several threads, trimmed before the dump
 * restored: map, read
 */
#include <malloc.h>

#include "state.h"

#define COUNT 4
#define BLOCKS 400
static pthread_barrier_t trimmed, restored;

static void *run(void *number) {
  unsigned seed = *(unsigned *)number;
  char *blocks[BLOCKS];
  for (int i = 0; i < BLOCKS; i++) fill(blocks[i] = malloc(3000 + i), 3000 + i, seed + i);
  for (int i = 0; i < BLOCKS; i += 2) free(blocks[i]);
  for (int i = BLOCKS / 2; i < BLOCKS; i++) {
    free(i % 2 == 0 ? NULL : blocks[i]);
    blocks[i] = NULL;
  }
  pthread_barrier_wait(&trimmed);
  pthread_barrier_wait(&restored);
  for (int round = 0; round < 3; round++)
    for (int i = 0; i < BLOCKS; i += 2) {
      blocks[i] = calloc(1, 3000 + i);
      if (blocks[i] == NULL || !is_zero(blocks[i], 3000 + i)) return NULL;
      fill(blocks[i], 3000 + i, seed + i);
      if (round < 2) free(blocks[i]);
      malloc_trim(0);
    }
  for (int i = 0; i < BLOCKS; i++)
    if (blocks[i] != NULL && !is_filled(blocks[i], 3000 + i, seed + i)) return NULL;
  return number;
}

int main(void) {
  static unsigned seeds[COUNT] = {1, 1000, 2000, 3000};
  pthread_t threads[COUNT];
  pthread_barrier_init(&trimmed, NULL, COUNT + 1);
  pthread_barrier_init(&restored, NULL, COUNT + 1);
  for (int i = 0; i < COUNT; i++) threads[i] = start_thread(run, &seeds[i]);
  pthread_barrier_wait(&trimmed);
  malloc_trim(0);
  await_restore();
  pthread_barrier_wait(&restored);
  for (int i = 0; i < COUNT; i++) check(result_of(threads[i]) != NULL);
}
