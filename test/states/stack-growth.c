/*
 * the main thread's stack: what is on it, and that it grows on
 * restored: map, read
 */
#include "state.h"

__attribute__((noinline)) static int use(int depth, unsigned seed) {
  volatile char frame[32768];
  fill((char *)frame, sizeof frame, seed + depth);
  int is_deeper_right = depth == 0 || use(depth - 1, seed);
  return is_deeper_right && is_filled((char *)frame, sizeof frame, seed + depth);
}

__attribute__((noinline)) static int use_and_wait(int depth) {
  volatile char frame[32768];
  fill((char *)frame, sizeof frame, depth);
  if (depth == 0) {
    await_restore();
    check(use(150, 7)); /* 5 MB more */
  } else if (!use_and_wait(depth - 1)) {
    return 0;
  }
  return is_filled((char *)frame, sizeof frame, depth);
}

int main(void) {
  check(use_and_wait(40));
  check(use(200, 9));
}
