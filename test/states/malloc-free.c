/*
 * large free chunks in glibc's arenas, and what lies behind the last one, full of old bytes: they are not kept
 * restored: map, read
 */
#include <malloc.h>

#include "state.h"

#define COUNT 3
#define BLOCKS 40
#define SIZE 100000ul
static pthread_barrier_t emptied, restored;

/* Somewhere in the middle: in whole pages of free memory. Nobody but this test may look there. */
static int is_left_out(uintptr_t freed) { return is_zero((void *)(freed + SIZE / 2), PAGE); }

static void *run(void *number) {
  unsigned seed = *(unsigned *)number;
  char *blocks[BLOCKS];
  for (int i = 0; i < BLOCKS; i++) fill(blocks[i] = malloc(SIZE), SIZE, seed + i);
  uintptr_t between = (uintptr_t)blocks[11], last = (uintptr_t)blocks[BLOCKS - 2];
  for (int i = 0; i < BLOCKS; i++)
    if (i % 10 < 4 || i > BLOCKS - 5) {
      free(blocks[i]);
      blocks[i] = NULL;
    }
  free(malloc(2 * SIZE)); /* sorts what was not sorted yet into bins */
  free(malloc(PAGE));
  pthread_barrier_wait(&emptied);
  pthread_barrier_wait(&restored);
  if (!is_left_out(between) || !is_left_out(last)) return NULL;
  for (int round = 0; round < 3; round++)
    for (int i = 0; i < BLOCKS; i++) {
      if (blocks[i] != NULL && !is_filled(blocks[i], SIZE, seed + i)) return NULL;
      if (i % 10 >= 4 && i <= BLOCKS - 5) continue;
      blocks[i] = calloc(1, SIZE - 1000 * round);
      if (blocks[i] == NULL || !is_zero(blocks[i], SIZE - 1000 * round)) return NULL;
      blocks[i] = realloc(blocks[i], SIZE);
      fill(blocks[i], SIZE, seed + i);
      if (round == 2) continue;
      free(blocks[i]);
      blocks[i] = NULL;
      if (i % 10 == 3) malloc_trim(0);
    }
  for (int i = 0; i < BLOCKS; i++) {
    if (!is_filled(blocks[i], SIZE, seed + i)) return NULL;
    free(blocks[i]);
  }
  return number;
}

int main(void) {
  static unsigned seeds[COUNT] = {1, 1000, 2000};
  pthread_t threads[COUNT];
  need(mallopt(M_TRIM_THRESHOLD, 1 << 30) == 1 && mallopt(M_MMAP_THRESHOLD, 1 << 24) == 1);
  pthread_barrier_init(&emptied, NULL, COUNT + 1);
  pthread_barrier_init(&restored, NULL, COUNT + 1);
  char *kept = malloc(SIZE), *freed = malloc(3 * SIZE), *end = malloc(SIZE), *top = malloc(2 * SIZE);
  fill(kept, SIZE, 7);
  fill(end, SIZE, 8);
  fill(freed, 3 * SIZE, 9);
  fill(top, 2 * SIZE, 10);
  uintptr_t freed_at = (uintptr_t)freed, top_at = (uintptr_t)top;
  free(freed);
  free(top);
  for (int i = 0; i < COUNT; i++) threads[i] = start_thread(run, &seeds[i]);
  pthread_barrier_wait(&emptied);
  await_restore();
  check(is_left_out(freed_at) && is_left_out(top_at));
  char *again = calloc(1, 3 * SIZE);
  check(is_zero(again, 3 * SIZE) && is_filled(kept, SIZE, 7) && is_filled(end, SIZE, 8));
  pthread_barrier_wait(&restored);
  for (int i = 0; i < COUNT; i++) check(result_of(threads[i]) != NULL);
}
